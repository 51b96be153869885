// An independent client: asks Recommend for an answer, and once for an error, and prints
// both as one JSON value.
//
//   node recommend.mjs TARGET PROFILE_ID PROTO_FOLDER...
//
// The folders hold the contracts of the suite and those of google.rpc.

import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const [target, profileId, ...includeDirs] = process.argv.slice(2);
const DEADLINE_MS = 5_000;

const definition = protoLoader.loadSync(
  [
    "reprise/ranking/v1/ranking.proto",
    "google/rpc/status.proto",
    "google/rpc/error_details.proto",
  ],
  { includeDirs, keepCase: true, longs: String, enums: String, defaults: true },
);
const { RankingService } = grpc.loadPackageDefinition(definition).reprise.ranking.v1;

/** Resolves with the answer, or rejects with the error of the call. */
function recommend(client, request) {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + DEADLINE_MS;
    client.Recommend(request, { deadline }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

/** The details of an error by their types' names, decoded from the status in its trailer. */
function details(error) {
  const [packed] = error.metadata.get("grpc-status-details-bin");
  const status = definition["google.rpc.Status"].deserialize(packed);
  return {
    code: status.code,
    message: status.message,
    details: Object.fromEntries(
      status.details.map(({ type_url, value }) => {
        const name = type_url.split("/").at(-1);
        return [name, definition[name].deserialize(value)];
      }),
    ),
  };
}

const client = new RankingService(target, grpc.credentials.createInsecure());
try {
  const answer = await recommend(client, {
    profile_id: profileId,
    limit: 10,
    context: { device: "DEVICE_TV" },
  });
  const failure = await recommend(client, { profile_id: "", limit: 10 }).then(
    () => null,
    (error) => ({ code: grpc.status[error.code], status: details(error) }),
  );
  console.log(JSON.stringify({ answer, failure }));
} finally {
  client.close();
}
