// Every setting of the app, in one map; a test holds it equal to the schema in shared/config.

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

@description('Name of the function app.')
param appName string

@description('Client id of the identity that the app acts as.')
param clientId string

@description('Storage account of the Functions host and of Durable Functions.')
param hostStorageName string

@description('Name of the Application Insights component.')
param insightsName string

@description('Origin of the URLs in answers.')
param publicUrl string

@description('Blob endpoint of the media account.')
param blobUrl string

@description('Endpoint of Cosmos DB.')
param cosmosEndpoint string

@description('Name of the database.')
param databaseName string

@description('Address of the vault.')
param vaultUrl string

@description('Name of the key encryption key.')
param kekName string

@description('Name under which the vault keeps the admin key.')
param adminKeyName string

@description('What stands before the app, and how it proves itself.')
param proxy Proxy

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

    // Where everything is.
    STAGES: 'all'
    PUBLIC_URL: publicUrl
    AZURE_CLIENT_ID: clientId
    BLOB_URL: blobUrl
    COSMOS_ENDPOINT: cosmosEndpoint
    COSMOS_DATABASE: databaseName
    VAULT_URL: vaultUrl
    KEK_NAME: kekName
    ADMIN_KEY_SECRET: adminKeyName
    FFMPEG_PATH: '/home/site/wwwroot/bin/ffmpeg'
    FFPROBE_PATH: '/home/site/wwwroot/bin/ffprobe'
    TRUSTED_PROXY_HOPS: string(proxy.hops)
    PROXY_PROOF: proxy.proof
    COUNTRY_HEADER: proxy.countryHeader
    GRANT_AUDIENCE: 'movidone'

    // Limits; shared/config/schema.ts says what each decides.
    UPLOAD_URL_SECONDS: '900'
    UPLOAD_BLOCK_BYTES: '8388608'
    UPLOAD_MAX_BYTES: '204010946560'
    UPLOAD_IDLE_HOURS: '24'
    ENCODE_THREADS: '2'
    ENCODE_CHUNK_SEGMENTS: '4'
    ENCODE_WINDOW: '32'
    ENCODE_TENANT_TITLES: '4'
    ENCODE_UNIT_SECONDS: '1200'
    ENCODE_PRICES: '240=0.001,480=0.002,720=0.004,1080=0.008,2160=0.03,audio=0.0005'
    ENCODE_PRICE_CURRENCY: 'EUR'
    ENCODE_PIXELS_PER_SECOND: '50000000'
    ENCODE_PARALLEL_UNITS: '16'
    ENCODE_EXECUTOR: 'function'
    ENCODE_FLEET_SECONDS: '300'
    ENCODE_FLEET_PATIENCE_SECONDS: '900'
    FLEET_POOLS: ''
    FLEET_SUBSCRIPTION: ''
    FLEET_GROUP: ''
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
}
