// Makes calls with the official client, one after the other, and prints what each came to.
// Its one argument is JSON: {url, apiKey, options, calls: [[tag, method, ...arguments], ...]}.
import { Client, LagoRateLimitError, getLagoError } from "lago-javascript-client";

const { url, apiKey, options, calls } = JSON.parse(process.argv[2]);
const client = Client(apiKey, { baseUrl: `${url}/api/v1`, ...options });

async function outcome([tag, method, ...given]) {
  try {
    const answer = await client[tag][method](...given);
    return { status: answer.status, data: answer.data };
  } catch (error) {
    if (error instanceof LagoRateLimitError) {
      return { limit: error.limit, remaining: error.remaining, reset: error.reset };
    }
    return { status: error.status, error: await getLagoError(error) };
  }
}

const outcomes = [];
for (const call of calls) {
  outcomes.push(await outcome(call));
}
console.log(JSON.stringify(outcomes));
