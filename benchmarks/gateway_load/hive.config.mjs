// Hive Gateway with its planner in Rust. It shares nothing between requests: a gateway that answers one of fifty
// identical requests and sends the answer fifty times is measured at something else.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.HIVE_FOLDER, "here.js"));

export const gatewayConfig = {
  unifiedGraphHandler: require("@graphql-hive/router-runtime").unifiedGraphHandler,
  inboundInflightRequestDeduplication: false,
  transportEntries: { "*.http": { options: { deduplicateInflightRequests: false } } },
  logging: "error",
};
