// One client against a server: `node clients.mjs <scenario> <websocket URL> <HTTP URL> <token>`. What it hears it prints, one JSON value a line.
import { createInterface } from 'node:readline';
import { ApolloClient, HttpLink, InMemoryCache, ApolloLink, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { Client as UrqlClient, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';
import { subscribe as subscribeSource } from 'wonka';

const [scenario, wsUrl, httpUrl, token] = process.argv.slice(2);
const TICKS = 'subscription ($room: String!) { ticks(room: $room) { number } }';
const variables = { room: 'one' };
const authorization = { Authorization: `Bearer ${token}` };

const say = (kind, value) => console.log(JSON.stringify({ kind, value }));
const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const waitForWord = async () => (await told.next()).value;
const errorOf = (error) => error?.code ?? error?.[0]?.extensions?.code ?? error?.message ?? String(error);

function sink(kind, done = () => {}) {
  return {
    next: (value) => say(kind, value),
    error: (error) => { say(`${kind} error`, errorOf(error)); done(); },
    complete: () => { say(`${kind} complete`, null); done(); },
  };
}
const whole = (client, kind, query) => new Promise((done) => { client.subscribe({ query }, sink(kind, done)); });

const websocket = (options = {}) => createWsClient({
  url: wsUrl, webSocketImpl: WebSocket, connectionParams: authorization, retryAttempts: 3, retryWait: async () => {}, ...options,
});

async function basics(client) {
  await whole(client, 'query', '{ greeting }');
  await whole(client, 'mutation', 'mutation { count }');
  await whole(client, 'three', 'subscription { three }');
  await whole(client, 'refused', '{ nothing }');
  let stop;
  const ended = new Promise((done) => { stop = client.subscribe({ query: TICKS, variables }, sink('ticks', done)); });
  await waitForWord();
  stop();
  await ended;
  await waitForWord();
  await client.dispose();
}

const scenarios = {
  'graphql-ws': () => basics(websocket({ keepAlive: 200 })),

  'graphql-ws-refused': () => new Promise((done) => {
    websocket({ connectionParams: { Authorization: 'Bearer nonsense' } }).subscribe({ query: '{ greeting }' }, sink('query', done));
  }),

  // The server goes and comes; the client's subscription does not notice.
  'graphql-ws-reconnects': async () => {
    const client = websocket({ on: { closed: (event) => say('closed', { code: event.code, reason: event.reason }) } });
    const stop = client.subscribe({ query: TICKS, variables }, sink('ticks'));
    await waitForWord();
    stop();
    await client.dispose();
  },

  // A fresh token on the socket that is open.
  'graphql-ws-renews': async () => {
    let socket;
    const client = websocket({ on: { connected: (it) => { socket = it; }, closed: (event) => say('closed', event.code) } });
    const stop = client.subscribe({ query: TICKS, variables }, sink('ticks'));
    const fresh = await waitForWord();
    socket.send(JSON.stringify({ type: 'ping', payload: { Authorization: `Bearer ${fresh}` } }));
    await waitForWord();
    stop();
    await client.dispose();
  },

  'graphql-sse': () => basics(createSseClient({ url: httpUrl, headers: authorization, retryAttempts: 0 })),

  'graphql-sse-single': () => basics(createSseClient({ url: httpUrl, headers: authorization, retryAttempts: 0, singleConnection: true })),

  apollo: async () => {
    const socket = websocket();
    const link = ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      new HttpLink({ uri: httpUrl, headers: authorization }),
    );
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    say('query', (await client.query({ query: gql('{ greeting }') })).data);
    const subscription = client.subscribe({ query: gql(TICKS), variables }).subscribe(sink('ticks'));
    await waitForWord();
    subscription.unsubscribe();
    await waitForWord();
    await socket.dispose();
  },

  urql: async () => {
    const socket = websocket();
    const forward = ({ query, variables }) => ({
      subscribe: (observer) => ({ unsubscribe: socket.subscribe({ query, variables }, observer) }),
    });
    await urql([subscriptionExchange({ forwardSubscription: forward }), fetchExchange]);
    await socket.dispose();
  },

  'urql-sse': () => urql([fetchExchange], { fetchSubscriptions: true }),
};

async function urql(exchanges, options = {}) {
  const client = new UrqlClient({ url: httpUrl, exchanges, preferGetMethod: false, fetchOptions: { headers: authorization }, ...options });
  const query = await client.query('{ greeting }', {}).toPromise();
  say('query', query.data ?? String(query.error));
  const { unsubscribe } = subscribeSource((result) => say('ticks', { data: result.data, error: result.error?.message }))(
    client.subscription(TICKS, variables),
  );
  await waitForWord();
  unsubscribe();
  await waitForWord();
}

await scenarios[scenario]();
say('done', null);
process.exit(0);
