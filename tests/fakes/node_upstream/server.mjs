// A subgraph's event streams by graphql-ws and graphql-sse: `node server.mjs <port>`. It says "listening <port>", and what happens at /state.
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { GraphQLError, buildSchema } from "graphql";
import { createHandler } from "graphql-sse/lib/use/http";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

const schema = buildSchema(`
  type Query { last: Reading }
  type Subscription {
    readings(from: Int!, until: Int! = 2147483647, everyMs: Int! = 10): Reading!
    caller: Caller!
    fails: Int!
  }
  type Caller { authorization: String, parameter: String, requestId: String }
  type Reading { value: Int!, sensor: Sensor! }
  type Sensor { id: ID! }
`);

const state = { connections: 0, everConnected: 0, streams: 0 };
const fields = schema.getSubscriptionType().getFields();

fields.readings.subscribe = async function* (_root, { from, until, everyMs }) {
  state.streams += 1;
  try {
    for (let value = from; value < until; value += 1) {
      yield { readings: { value, sensor: { id: `s${value % 2}` } } };
      await pause(everyMs);
    }
  } finally {
    state.streams -= 1;
  }
};
fields.caller.subscribe = async function* (_root, _arguments, context) {
  yield { caller: context };
};
fields.fails.subscribe = async function* () {
  yield { fails: 1 };
  throw new GraphQLError("the sensor is too hot", { extensions: { code: "TOO_HOT", celsius: 90 } });
};

const caller = (headers, parameters) => ({
  authorization: headers.authorization,
  parameter: parameters?.authorization,
  requestId: headers["x-request-id"],
});

const sse = createHandler({ schema, context: (request) => caller(request.raw.headers) });
const server = createServer((request, response) => {
  if (request.url === "/state") {
    response.end(JSON.stringify(state));
  } else {
    sse(request, response).catch(() => response.destroy()); // a client that went, or a field that failed
  }
});

const sockets = new WebSocketServer({ server, path: "/graphql" });
sockets.on("connection", (socket) => {
  state.connections += 1;
  state.everConnected += 1;
  socket.once("close", () => (state.connections -= 1));
});
useServer(
  {
    schema,
    onConnect: ({ connectionParams }) => connectionParams?.authorization !== "Bearer refused",
    context: ({ connectionParams, extra }) => caller(extra.request.headers, connectionParams),
  },
  sockets,
);

server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => console.log(`listening ${server.address().port}`));
