// A storage account of ours: no shared keys, nothing public, only Entra ID; used for the host and for media.
import { Tags } from 'size.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Redundancy.')
param sku 'Standard_LRS' | 'Standard_ZRS'

@description('Blob containers.')
param containers string[]

@description('Whether browsers put blocks here; an account without has no CORS at all.')
param takesUploads bool = false

@description('Origins whose pages may put blocks with an upload URL.')
param uploadOrigins string[] = []

// The local platform reads the same.
var uploadCors = loadJsonContent('../stores.json').uploadCors

resource account 'Microsoft.Storage/storageAccounts@2026-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowedCopyScope: 'AAD'
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-06-01' = {
  parent: account
  name: 'default'
  properties: {
    // A deleted title is gone at once: its owner asked for that. What is lost by mistake is encoded again.
    deleteRetentionPolicy: { enabled: false }
    cors: {
      corsRules: takesUploads
        ? [
            {
              allowedOrigins: uploadOrigins
              allowedMethods: uploadCors.methods
              allowedHeaders: uploadCors.requestHeaders
              exposedHeaders: uploadCors.responseHeaders
              maxAgeInSeconds: uploadCors.maxAgeSeconds
            }
          ]
        : []
    }
  }
}

resource folders 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-06-01' = [
  for container in containers: {
    parent: blobs
    name: container
    properties: { publicAccess: 'None' }
  }
]

@description('Name of the account.')
output name string = account.name

@description('Blob endpoint.')
output blobUrl string = account.properties.primaryEndpoints.blob
