// One client that reads an answer in parts: `node defer.mjs <client> <HTTP URL>`. It prints the data and errors of each result it shows, one
// JSON value a line, and waits for a line after the first.
import { createInterface } from 'node:readline';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { Defer20220824Handler, GraphQL17Alpha9Handler } from '@apollo/client/incremental';
import { Client as UrqlClient, fetchExchange } from '@urql/core';
import { subscribe } from 'wonka';

const [client, uri] = process.argv.slice(2);
const QUERY = `{ docs { __typename id title ... @defer(label: "slow") { price length nested: parent { id } } } }`;

const say = (value) => console.log(JSON.stringify(value));
const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function apollo(incrementalHandler) {
  const one = new ApolloClient({ link: new HttpLink({ uri }), cache: new InMemoryCache(), incrementalHandler });
  const watched = one.watchQuery({ query: gql(QUERY), errorPolicy: 'all' });
  return new Promise((done) => {
    watched.subscribe((result) => {
      if (result.data === undefined) return;
      say({ data: result.data, errors: (result.error?.errors ?? []).map((error) => error.path), state: result.dataState });
      if (result.dataState === 'complete') done();
    });
  });
}

function urql() {
  const one = new UrqlClient({ url: uri, exchanges: [fetchExchange], preferGetMethod: false });
  return new Promise((done) => {
    subscribe((result) => {
      say({ data: result.data, errors: (result.error?.graphQLErrors ?? []).map((error) => error.path), state: result.hasNext ? 'streaming' : 'complete' });
      if (!result.hasNext) done();
    })(one.query(QUERY, {}));
  });
}

const clients = {
  'apollo by path': () => apollo(new Defer20220824Handler()),
  'apollo by id': () => apollo(new GraphQL17Alpha9Handler()),
  urql,
};
await clients[client]();
told.return?.();
process.exit(0);
