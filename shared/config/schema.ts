// Every setting there is: its name, its form, its default and one line on what it decides.
import { z } from 'zod'

const wholeNumber = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback)

export const settings = z.object({
  STAGES: z
    .string()
    .default('all')
    .describe(
      'What this app serves of all stages: `all`, or a comma list of api, orchestrate, encode, deliver.',
    ),
  PUBLIC_URL: z
    .url()
    .optional()
    .describe('Origin of the URLs in answers; the Host header of the request when absent.'),
  BLOB_URL: z.url().describe('Blob service endpoint of the media storage account.'),
  BLOB_ACCOUNT: z.string().optional().describe('Local only: account name of the Blob emulator.'),
  BLOB_KEY: z.string().optional().describe('Local only: account key of the Blob emulator.'),
  COSMOS_ENDPOINT: z.url().describe('Cosmos DB endpoint.'),
  COSMOS_KEY: z.string().optional().describe('Local only: key of the local Cosmos server.'),
  COSMOS_DATABASE: z.string().default('movidone').describe('Cosmos database.'),
  VAULT_URL: z.url().optional().describe('Key Vault that holds the KEK and the first admin key.'),
  KEK_NAME: z.string().default('kek').describe('Name of the key encryption key in the vault.'),
  KEK_FILE: z
    .string()
    .optional()
    .describe('Local only: file that stands in for the vault; made when absent.'),
  ADMIN_KEY: z.string().min(20).optional().describe('Local only: the admin key itself.'),
  ADMIN_KEY_SECRET: z
    .string()
    .default('admin-key')
    .describe('Name of the vault secret that holds the admin key.'),
  LOCAL_TENANT_ID: z.string().optional().describe('Local only: tenant that exists from the first start.'),
  LOCAL_TENANT_KEY: z.string().optional().describe('Local only: API key of that tenant.'),
  AZURE_CLIENT_ID: z.string().optional().describe('Client id of the managed identity.'),
  FFMPEG_PATH: z.string().default('ffmpeg').describe('The ffmpeg that encodes.'),
  FFPROBE_PATH: z.string().default('ffprobe').describe('The ffprobe of the same build.'),
  UPLOAD_URL_SECONDS: wholeNumber(900, 60, 86_400).describe('Life of an upload URL.'),
  UPLOAD_BLOCK_BYTES: wholeNumber(8 << 20, 65_536, 100 << 20).describe(
    'Block size that uploaders are told to use.',
  ),
  UPLOAD_MAX_BYTES: wholeNumber(190 * 2 ** 30, 1, 190 * 2 ** 40).describe('Largest source accepted.'),
  UPLOAD_IDLE_HOURS: z.coerce
    .number()
    .min(0)
    .max(720)
    .default(24)
    .describe('Age at which an unfinished upload ends.'),
  ENCODE_THREADS: wholeNumber(1, 1, 64).describe(
    'Threads with which one ffmpeg reads and scales; with more than one, a unit was seen to make other bytes at each run.',
  ),
  ENCODE_CHUNK_SEGMENTS: wholeNumber(4, 1, 15).describe('Segments of 4 s that one unit of work encodes.'),
  ENCODE_WINDOW: wholeNumber(8, 1, 256).describe(
    'Units of one title that are under way at once; twice as many as can run keeps every instance busy.',
  ),
  ENCODE_TENANT_TITLES: wholeNumber(4, 1, 100).describe(
    'Titles of one tenant that are encoded at once; others wait in the order in which they came.',
  ),
  ENCODE_UNIT_SECONDS: wholeNumber(1200, 10, 1500).describe(
    'Longest time one unit may take; `functionTimeout` of host.json must be longer.',
  ),
  ENCODE_PRICES: z
    .string()
    .regex(
      /^(\d{2,4}=\d{1,6}(\.\d{1,6})?,)+audio=\d{1,6}(\.\d{1,6})?$/,
      'must be side=price,…,audio=price, such as 480=0.004,1080=0.015,audio=0.001',
    )
    .default('240=0.001,480=0.002,720=0.004,1080=0.008,2160=0.03,audio=0.0005')
    .describe(
      'Prices in quotes, for a minute of one rendition: by its shorter side, the first entry that is not smaller.',
    ),
  ENCODE_PRICE_CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('EUR')
    .describe('Currency of ENCODE_PRICES (ISO 4217).'),
  ENCODE_PIXELS_PER_SECOND: wholeNumber(50_000_000, 1, 1e12).describe(
    'Pixels, of all renditions together, that one unit makes in a second; for the expected time in quotes.',
  ),
  ENCODE_PARALLEL_UNITS: wholeNumber(1, 1, 10_000).describe(
    'Units of one title that really run at once; for the expected time in quotes.',
  ),
  ENCODE_EXECUTOR: z
    .enum(['function', 'fleet', 'auto'])
    .default('function')
    .describe(
      'Who encodes: `function`, this app; `fleet`, workers that claim units of work; `auto`, both: this app the opening, the sound and small titles, workers the rest.',
    ),
  ENCODE_FLEET_SECONDS: wholeNumber(300, 0, 86_400).describe(
    'With `auto`: a title goes to workers when its pictures, one unit after another, would take longer than this.',
  ),
  ENCODE_FLEET_PATIENCE_SECONDS: wholeNumber(900, 1, 86_400).describe(
    'With `auto`: how long a unit waits for a worker before this app does it.',
  ),
  ENCODE_BEGINNING_SECONDS: wholeNumber(60, 0, 3600).describe(
    'With `auto`: how much of a title’s beginning this app makes itself when no worker is there within seconds, so that it plays while machines wake.',
  ),
  FLEET_POOLS: z
    .string()
    .optional()
    .describe(
      'The pools of virtual machines, as JSON; without it there is no fleet. docs/7-fleet.md has the form.',
    ),
  FLEET_SUBSCRIPTION: z.string().optional().describe('Subscription of the fleet’s virtual machines.'),
  FLEET_GROUP: z.string().optional().describe('Resource group of the fleet’s virtual machines.'),
  FLEET_ARM_URL: z.url().optional().describe('Local only: the resource manager of this machine.'),
  FLEET_ARM_TOKEN: z.string().min(20).optional().describe('Local only: the token that it asks for.'),
  NODE_BEAT_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(60)
    .default(5)
    .describe('How often a node says that it lives.'),
  NODE_DEAD_SECONDS: z.coerce
    .number()
    .min(1)
    .max(600)
    .default(30)
    .describe(
      'How long a node may be silent before it is taken for dead; at three quarters of that it stops by itself.',
    ),
  UNIT_LEASE_SECONDS: wholeNumber(30, 2, 600).describe(
    'How long a silent worker keeps its unit; it renews at a quarter of that, and at three quarters it stops by itself.',
  ),
  SOURCE_MAX_SECONDS: wholeNumber(6 * 3600, 1, 48 * 3600).describe('Longest film accepted.'),
  SOURCE_MAX_PIXELS: wholeNumber(8192 * 4352, 1, 2 ** 27).describe(
    'Largest picture accepted, width × height.',
  ),
  ANSWER_MAX_BYTES: wholeNumber(16 << 20, 14 << 20, 64 << 20).describe(
    'Most bytes one answer of the range proxy holds.',
  ),
  TRUSTED_PROXY_HOPS: wholeNumber(1, 1, 10).describe(
    'Proxies that write X-Forwarded-For before a request arrives; 2 behind Front Door.',
  ),
  PROXY_PROOF: z
    .string()
    .regex(/^[A-Za-z0-9-]+=.+$/, 'must be name=value, such as x-azure-fdid=<id of the profile>')
    .optional()
    .describe(
      'Header by which the outermost proxy proves itself, as name=value; without it one hop is trusted.',
    ),
  COUNTRY_HEADER: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/)
    .optional()
    .describe('Header in which the proxy of PROXY_PROOF names the country of the client.'),
  LEASE_SECONDS: wholeNumber(30, 4, 300).describe(
    'How long a silent stream keeps its place in the count of streams; renewed at half.',
  ),
  CUT_OFF_SECONDS: wholeNumber(30, 0, 3600).describe(
    'How long a node that cannot reach Cosmos goes on serving sessions that it knows once their leases have ended.',
  ),
  GRANT_AUDIENCE: z
    .string()
    .min(1)
    .max(200)
    .default('movidone')
    .describe('The `aud` that a grant must name.'),
  REFUSALS_PER_SECOND: wholeNumber(10, 1, 10_000).describe(
    'Refused playback requests of one network that are answered 403; ten seconds’ worth at once, 429 beyond.',
  ),
  KEY_RETENTION_HOURS: z.coerce
    .number()
    .min(0)
    .max(168)
    .default(12)
    .describe('How long segments under a title’s former content keys stay for players that began with them.'),
  WEBHOOK_ALLOW_LOCAL: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Local only: webhooks may go to this machine, by http and any port.'),
  TENANT_REQUESTS_PER_SECOND: wholeNumber(50, 1, 10_000).describe(
    'Requests of one tenant that one instance accepts.',
  ),
})

export type Settings = z.infer<typeof settings>

/** In `local.settings.sample.json` and never in Bicep: keys of emulators, files that stand in for Azure, and what `func start` reads. */
export const localOnly: readonly string[] = [
  'AzureWebJobsStorage',
  'FUNCTIONS_WORKER_RUNTIME',
  'BLOB_ACCOUNT',
  'BLOB_KEY',
  'COSMOS_KEY',
  'KEK_FILE',
  'ADMIN_KEY',
  'LOCAL_TENANT_ID',
  'LOCAL_TENANT_KEY',
  'FLEET_ARM_URL',
  'FLEET_ARM_TOKEN',
  'WEBHOOK_ALLOW_LOCAL',
]

/** In Bicep and never in the schema: what the Functions host itself reads. */
export const platformOnly: readonly string[] = [
  'AzureWebJobsStorage__accountName',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
]
