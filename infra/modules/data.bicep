// Where documents live: Cosmos DB without keys, its containers from the list that the local platform reads too.
import { Size, Tags } from 'size.bicep'

@description('A container: its partition key, plain or hierarchical; a ttlSeconds of -1 lets each document set its own.')
type Container = { name: string, key: string?, keys: string[]?, ttlSeconds: int? }

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Suffix that makes names unique.')
@minLength(1)
param token string

@description('Size of the platform.')
param size Size

// The local platform reads the same list.
var stores = loadJsonContent('../stores.json').cosmos
var containers Container[] = stores.containers

resource account 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' = {
  name: 'cosmos-${token}'
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: [{ locationName: location, failoverPriority: 0, isZoneRedundant: size.zoneRedundant }]
    // A session opened by one instance is asked for on another within milliseconds: weaker levels may not know it yet.
    consistencyPolicy: { defaultConsistencyLevel: 'Strong' }
    capabilities: size.?maximumThroughput == null ? [{ name: 'EnableServerless' }] : []
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: size.backupTier } }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2026-03-15' = {
  parent: account
  name: stores.database
  properties: {
    resource: { id: stores.database }
    // One throughput for all containers: an idle platform pays a tenth of it, once.
    options: size.?maximumThroughput == null
      ? {}
      : { autoscaleSettings: { maxThroughput: size.?maximumThroughput } }
  }
}

resource boxes 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2026-03-15' = [
  for container in containers: {
    parent: database
    name: container.name
    properties: {
      resource: {
        id: container.name
        partitionKey: {
          kind: container.?keys == null ? 'Hash' : 'MultiHash'
          paths: container.?keys ?? [container.?key ?? '/id']
          version: 2
        }
        ...(container.?ttlSeconds == null ? {} : { defaultTtl: container.?ttlSeconds })
      }
    }
  }
]

@description('Name of the account.')
output name string = account.name

@description('Endpoint of the account.')
output endpoint string = account.properties.documentEndpoint

@description('Name of the database.')
output databaseName string = database.name
