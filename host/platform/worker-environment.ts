// Decides what the worker of a local machine finds in its environment: what a VM is told, and keys in place of an identity.

/** What any program is told of the system that it runs on. */
const ofTheSystem = `PATH LD_LIBRARY_PATH HOME TMPDIR LANG LC_ALL TZ NODE_OPTIONS NODE_COMPILE_CACHE`

/** As infra/modules/nodes.bicep writes them; what is not here is not a machine's business. */
const ofTheFleet = `
  STAGES PUBLIC_URL BLOB_URL COSMOS_ENDPOINT COSMOS_DATABASE GRANT_AUDIENCE FFMPEG_PATH FFPROBE_PATH
  FLEET_POOLS FLEET_SUBSCRIPTION FLEET_GROUP NODE_BEAT_SECONDS NODE_DEAD_SECONDS UNIT_LEASE_SECONDS
  UPLOAD_URL_SECONDS UPLOAD_BLOCK_BYTES UPLOAD_MAX_BYTES UPLOAD_IDLE_HOURS SOURCE_MAX_SECONDS SOURCE_MAX_PIXELS
  ENCODE_THREADS ENCODE_CHUNK_SEGMENTS ENCODE_WINDOW ENCODE_TENANT_TITLES ENCODE_UNIT_SECONDS ENCODE_PRICES
  ENCODE_PRICE_CURRENCY ENCODE_PIXELS_PER_SECOND ENCODE_PARALLEL_UNITS ENCODE_EXECUTOR ENCODE_FLEET_SECONDS
  ENCODE_FLEET_PATIENCE_SECONDS ENCODE_BEGINNING_SECONDS
  ANSWER_MAX_BYTES TENANT_REQUESTS_PER_SECOND LEASE_SECONDS CUT_OFF_SECONDS REFUSALS_PER_SECOND KEY_RETENTION_HOURS`

/** An identity opens these in Azure: the media, the documents, the key encryption key. */
const inPlaceOfAnIdentity = `BLOB_ACCOUNT BLOB_KEY COSMOS_KEY KEK_FILE`

/** Its name is added by its machine. */
const ofTheWorker = `FLEET_URL EDGE_HOST EDGE_PORT EDGE_URL EDGE_QUIET_SECONDS`

const names = [ofTheSystem, ofTheFleet, inPlaceOfAnIdentity, ofTheWorker].flatMap((text) =>
  text.trim().split(/\s+/),
)

/** Of the platform's own environment and the app's settings: neither the admin's key, nor a tenant's, nor its caller's secrets. */
export const workerEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
