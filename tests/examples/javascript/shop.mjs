// A small shop that signs its customers up in Lago.
import { Client, getLagoError } from "lago-javascript-client";

export class Refused extends Error {
  constructor(details) {
    super(`Lago refuses the customer: ${JSON.stringify(details)}`);
    this.details = details;
  }
}

export class WrongKey extends Error {}

export class Shop {
  constructor({ url, apiKey, timeout = 5000 }) {
    const customFetch = (input, init) =>
      fetch(input, { ...init, signal: AbortSignal.timeout(timeout) });
    this.lago = Client(apiKey, { baseUrl: `${url}/api/v1`, customFetch, rateLimitRetry: {} });
  }

  // Lago updates a customer that is there, so a lost answer is no reason not to ask again.
  async signUp(account, email, attempts = 2) {
    try {
      const customer = { external_id: account, email };
      const { data } = await this.lago.customers.createCustomer({ customer });
      return data.customer;
    } catch (error) {
      if (!(error instanceof Response)) {
        if (attempts > 1) return this.signUp(account, email, attempts - 1);
        throw error;
      }
      if (error.status === 401) throw new WrongKey("Lago does not know our API key");
      const { error_details: details } = await getLagoError(error);
      throw new Refused(details);
    }
  }
}
