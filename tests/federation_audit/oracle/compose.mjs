// Composes sets of subgraphs: {"<set>": [{"name", "url", "sdl"}]} on stdin, {"<set>": {"supergraph"?, "errors": [{"code", "message"}]}} on stdout.
// A set that fails for satisfiability alone has both: what would have been printed, and the errors.
import { readFileSync } from "node:fs";
import { composeServices, compositionHasErrors } from "@theguild/federation-composition";
import { parse } from "graphql";

function compose(subgraphs) {
  try {
    return composeParsed(subgraphs);
  } catch (error) {
    // SDL that does not parse is no error of composition's own: graphql-js throws, and gives no code.
    if (error.name !== "GraphQLError") throw error;
    return { errors: [{ code: "INVALID_GRAPHQL", message: error.message }] };
  }
}

function composeParsed(subgraphs) {
  const services = subgraphs.map(({ name, url, sdl }) => ({ name, url: url ?? undefined, typeDefs: parse(sdl) }));
  const result = composeServices(services);
  if (!compositionHasErrors(result)) return { supergraph: result.supergraphSdl, errors: [] };
  const errors = result.errors.map((error) => ({ code: error.extensions?.code ?? null, message: error.message }));
  if (errors.some(({ code }) => code !== "SATISFIABILITY_ERROR")) return { errors };
  const unchecked = composeServices(services, { disableValidationRules: ["SatisfiabilityRule"] });
  return { supergraph: unchecked.supergraphSdl, errors };
}

const sets = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, compose(set)]))));
