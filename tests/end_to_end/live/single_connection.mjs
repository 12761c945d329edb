// Clients of GraphQL over SSE in single connection mode, each on a model's events: `node single_connection.mjs <URL> <token> <model> <number>`.
// What one hears is printed as a line of JSON, [client, answer]; a line to it ends them, and what that brought about is printed last.
import { createInterface } from 'node:readline';
import { createClient } from 'graphql-sse';

const [url, token, model, number] = process.argv.slice(2);
const query = 'subscription ($model: ID!) { modelEvents(modelId: $model) { ... on ModelPatched { newVersion } } }';
const say = (value) => console.log(JSON.stringify(value));
const word = new Promise((told) => { createInterface({ input: process.stdin }).once('line', told); });

const subscribed = Array.from({ length: Number(number) }, (_, index) => {
  const client = createClient({ url, headers: { Authorization: `Bearer ${token}` }, retryAttempts: 0, singleConnection: true });
  let stop;
  const ended = new Promise((done) => {
    stop = client.subscribe({ query, variables: { model } }, {
      next: (answer) => say([index, answer.errors ?? answer.data]),
      error: (error) => done(String(error?.message ?? error)),
      complete: () => done('complete'),
    });
  });
  return { client, stop, ended };
});
await word;
for (const { stop } of subscribed) stop();
say(await Promise.all(subscribed.map(({ ended }) => ended)));
process.exit(0);
