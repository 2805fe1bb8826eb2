from __future__ import annotations

from tests.plugin.conftest import Suite


def test_it_serves_asynchronous_tests_and_unittest(suite: Suite) -> None:
    result = suite("""
        import asyncio, unittest
        import httpx, pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture
        async def client(lago_mock):
            headers = {"Authorization": f"Bearer {lago_mock.api_key}"}
            options = {"transport": lago_mock.transport, "base_url": lago_mock.api_url}
            async with httpx.AsyncClient(**options, headers=headers) as client:
                yield client

        @pytest.mark.anyio
        async def test_an_asynchronous_application_needs_no_port(lago_mock, client):
            waiting = asyncio.to_thread(lago_mock.wait_for, "createCustomer", times=2)
            waits = asyncio.create_task(waiting)
            for number in range(2):
                body = {"customer": {"external_id": f"acct-own-{number}"}}
                (await client.post("/customers", json=body)).raise_for_status()

            assert [each.status for each in await waits] == [200, 200]
            assert len(lago_mock.customers()) == 7

        @pytest.mark.usefixtures("billing")
        class SignUpTest(unittest.TestCase):
            @pytest.fixture
            def billing(self, lago_mock):
                self.lago = lago_mock

            def test_it(self):
                self.lago.assert_not_called("createCustomer")
                self.assertEqual(len(self.lago.customers()), 5)
    """)

    result.assert_outcomes(passed=2)
