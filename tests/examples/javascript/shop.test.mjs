// Run by `lago-mock run -- npm test`, which says in variables where Lago is.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Refused, Shop, WrongKey } from "./shop.mjs";

const url = process.env.LAGO_URL;
const apiKey = process.env.LAGO_API_KEY;
const shop = new Shop({ url, apiKey });

async function admin(method, path, body) {
  const headers = { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" };
  const answer = await fetch(`${url}/__admin${path}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

async function statuses(operation) {
  const { requests } = await admin("GET", `/requests?operation=${operation}`);
  return requests.map((request) => request.status);
}

async function countCustomers() {
  const { meta } = await admin("POST", "/operations/findAllCustomers");
  return meta.total_count;
}

beforeEach(() => admin("POST", "/reset"));

test("a customer is signed up", async () => {
  const customer = await shop.signUp("acct-1", "ada@tallow.example");

  assert.equal(customer.email, "ada@tallow.example");
  assert.deepEqual(await statuses("createCustomer"), [200]);
});

test("what Lago refuses is told by field", async () => {
  const error = await shop.signUp("acct-1", "not an address").catch((each) => each);

  assert.ok(error instanceof Refused);
  assert.deepEqual(error.details, { email: ["invalid_email_format"] });
});

test("a wrong key is told from an outage", async () => {
  const stranger = new Shop({ url, apiKey: "stale-key" });

  await assert.rejects(stranger.signUp("acct-1", "ada@tallow.example"), WrongKey);
});

test("the client waits for its quota", async () => {
  await admin("POST", "/faults", { operation: "createCustomer", error: "too_many_requests" });

  await shop.signUp("acct-1", "ada@tallow.example");

  assert.deepEqual(await statuses("createCustomer"), [429, 200]);
});

test("sign-up tries again after a timeout", async () => {
  await admin("POST", "/faults", { operation: "createCustomer", connection: "HANG" });

  await new Shop({ url, apiKey, timeout: 500 }).signUp("acct-1", "ada@tallow.example");

  assert.deepEqual(await statuses("createCustomer"), [null, 200]);
});

test("a lost answer makes no second customer", async () => {
  await admin("POST", "/faults", {
    operation: "createCustomer",
    connection: "EMPTY_RESPONSE",
    when: "after",
  });

  const before = await countCustomers();

  await shop.signUp("acct-9", "ada@tallow.example");

  assert.deepEqual(await statuses("createCustomer"), [null, 200]);
  assert.equal(await countCustomers(), before + 1);
});
