// Every setting of the app, in one map; a test holds it equal to the schema in shared/config. Machines get the same ones.
import { Fleet, hasPool, poolsSetting, slotsOf } from 'pools.bicep'

@export()
@description('A proxy before the app, such as Front Door.')
type Proxy = {
  @description('Proxies that write X-Forwarded-For before a request arrives; the app\'s own front end is one.')
  @minValue(1)
  @maxValue(10)
  hops: int
  @description('Header by which the outermost one proves itself, as name=value; empty for none.')
  proof: string
  @description('Header in which it names the country of the client; empty for none.')
  countryHeader: string
}

@export()
@description('Where everything is, for the app and for machines alike.')
type Places = {
  blobUrl: string
  cosmosEndpoint: string
  databaseName: string
  vaultUrl: string
  kekName: string
  publicUrl: string
  @description('Resource group of the machines.')
  fleetGroupName: string
}

@export()
@description('What the app and the machines are told alike: what one makes, byte for byte the other would make too.')
func sharedSettings(places Places, fleet Fleet) { *: string } => {
  STAGES: 'all'
  PUBLIC_URL: places.publicUrl
  BLOB_URL: places.blobUrl
  COSMOS_ENDPOINT: places.cosmosEndpoint
  COSMOS_DATABASE: places.databaseName
  VAULT_URL: places.vaultUrl
  KEK_NAME: places.kekName
  GRANT_AUDIENCE: 'movidone'

  FLEET_POOLS: poolsSetting(fleet)
  FLEET_SUBSCRIPTION: empty(fleet.pools) ? '' : subscription().subscriptionId
  FLEET_GROUP: empty(fleet.pools) ? '' : places.fleetGroupName
  // Without encoders the app does all of it.
  ENCODE_EXECUTOR: hasPool(fleet, 'encoder') ? 'auto' : 'function'

  // Limits; shared/config/schema.ts says what each decides.
  UPLOAD_URL_SECONDS: '900'
  UPLOAD_BLOCK_BYTES: '8388608'
  UPLOAD_MAX_BYTES: '204010946560'
  UPLOAD_IDLE_HOURS: '24'
  ENCODE_THREADS: '1'
  ENCODE_CHUNK_SEGMENTS: '4'
  // Twice what can run at once: by the app's instances alone, or by all machines.
  ENCODE_WINDOW: string(max(32, 2 * slotsOf(fleet)))
  ENCODE_TENANT_TITLES: '4'
  ENCODE_UNIT_SECONDS: '1200'
  ENCODE_PRICES: '240=0.001,480=0.002,720=0.004,1080=0.008,2160=0.03,audio=0.0005'
  ENCODE_PRICE_CURRENCY: 'EUR'
  ENCODE_PIXELS_PER_SECOND: '50000000'
  ENCODE_PARALLEL_UNITS: '16'
  ENCODE_FLEET_SECONDS: '300'
  ENCODE_FLEET_PATIENCE_SECONDS: '900'
  ENCODE_BEGINNING_SECONDS: '60'
  NODE_BEAT_SECONDS: '5'
  NODE_DEAD_SECONDS: '30'
  UNIT_LEASE_SECONDS: '30'
  SOURCE_MAX_SECONDS: '21600'
  SOURCE_MAX_PIXELS: '35651584'
  ANSWER_MAX_BYTES: '16777216'
  TENANT_REQUESTS_PER_SECOND: '50'
  LEASE_SECONDS: '30'
  CUT_OFF_SECONDS: '30'
  REFUSALS_PER_SECOND: '10'
  KEY_RETENTION_HOURS: '12'
}

@description('Name of the function app.')
param appName string

@description('Client id of the identity that the app acts as.')
param clientId string

@description('Storage account of the Functions host and of Durable Functions.')
param hostStorageName string

@description('Name of the Application Insights component.')
param insightsName string

@description('Where everything is.')
param places Places

@description('Name under which the vault keeps the admin key.')
param adminKeyName string

@description('What stands before the app, and how it proves itself.')
param proxy Proxy

@description('The machines there are.')
param fleet Fleet

resource site 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: {
    // What the Functions host itself reads.
    AzureWebJobsStorage__accountName: hostStorageName
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: clientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'

    ...sharedSettings(places, fleet)

    // What is the app's own.
    AZURE_CLIENT_ID: clientId
    ADMIN_KEY_SECRET: adminKeyName
    FFMPEG_PATH: '/home/site/wwwroot/bin/ffmpeg'
    FFPROBE_PATH: '/home/site/wwwroot/bin/ffprobe'
    TRUSTED_PROXY_HOPS: string(proxy.hops)
    PROXY_PROOF: proxy.proof
    COUNTRY_HEADER: proxy.countryHeader
  }
}
