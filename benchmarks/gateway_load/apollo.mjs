// Apollo Gateway in one process: node apollo.mjs FOLDER_OF_NODE_MODULES SUPERGRAPH PORT
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, supergraph, port] = process.argv.slice(2);
const require = createRequire(join(folder, "here.js"));
const { ApolloServer } = require("@apollo/server");
const { startStandaloneServer } = require("@apollo/server/standalone");
const { ApolloGateway } = require("@apollo/gateway");

const gateway = new ApolloGateway({ supergraphSdl: readFileSync(supergraph, "utf8") });
await startStandaloneServer(new ApolloServer({ gateway }), { listen: { host: "127.0.0.1", port: Number(port) } });
