from __future__ import annotations

from lago_mock.clock import SystemClock
from lago_mock.resources.billing_entities import default_entity
from lago_mock.resources.organizations import new_organization


def test_new_rows_share_no_list() -> None:
    organization = new_organization(SystemClock(), "Rowing")
    entity = default_entity(organization)

    for row in (organization, entity):
        row["email_settings"].append("invoice.finalized")
    entity["tax_ids"].append("vat")

    fresh = new_organization(SystemClock(), "Rowing")
    assert organization["email_settings"] == entity["email_settings"] == ["invoice.finalized"]
    assert (fresh["email_settings"], default_entity(fresh)["tax_ids"]) == ([], [])
