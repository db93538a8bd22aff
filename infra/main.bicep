// The whole platform in one resource group: this file wires, the modules build, access.bicep alone grants.
targetScope = 'subscription'

import { Proxy } from 'modules/settings.bicep'
import { Size, sizes, Tags } from 'modules/size.bicep'

@description('Name of the environment, such as dev or prod.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything.')
@metadata({ azd: { type: 'location' } })
param location string = deployment().location

@description('Size of the platform: dev costs next to nothing when idle, prod survives the loss of a zone.')
param size 'dev' | 'prod'

@description('Person or group that may read the admin key; empty for none.')
param administratorId string = ''

@description('Origins of further pages that upload from the browser; the console of the app is always one.')
param uploadOrigins string[] = []

@description('Origin of the URLs in answers, where a domain of your own stands before the app.')
param publicUrl string = ''

@description('What stands before the app, and how it proves itself; nothing unless it is named here.')
param proxy Proxy = { hops: 1, proof: '', countryHeader: '' }

@description('Raise it to build anew while a deleted vault still holds its name.')
@minValue(1)
@maxValue(99)
param vaultGeneration int = 1

var chosen Size = sizes[size]
var token = uniqueString(subscription().id, environmentName, location)
var tags Tags = { 'azd-env-name': environmentName, product: 'movidone' }
// The one list of containers, which the local platform reads too.
var stores = loadJsonContent('stores.json')

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-movidone-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token }
}

module monitor 'modules/monitor.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token, size: chosen }
}

module hostStorage 'modules/storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'sthost${token}'
    sku: chosen.storageSku
    containers: ['packages']
  }
}

module app 'modules/app.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    size: chosen
    identityId: identity.outputs.id
    packageUrl: '${hostStorage.outputs.blobUrl}packages'
  }
}

module mediaStorage 'modules/storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'stmedia${token}'
    sku: chosen.storageSku
    containers: stores.blobs
    takesUploads: true
    uploadOrigins: union([app.outputs.origin], empty(publicUrl) ? [] : [publicUrl], uploadOrigins)
  }
}

module data 'modules/data.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    size: chosen
    databaseName: stores.cosmos.database
    containers: stores.cosmos.containers
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'kv-${token}-${vaultGeneration}'
    size: chosen
    workspaceName: monitor.outputs.workspaceName
  }
}

module settings 'modules/settings.bicep' = {
  scope: group
  params: {
    appName: app.outputs.name
    clientId: identity.outputs.clientId
    hostStorageName: hostStorage.outputs.name
    insightsName: monitor.outputs.insightsName
    publicUrl: empty(publicUrl) ? app.outputs.origin : publicUrl
    blobUrl: mediaStorage.outputs.blobUrl
    cosmosEndpoint: data.outputs.endpoint
    databaseName: data.outputs.databaseName
    vaultUrl: vault.outputs.url
    kekName: vault.outputs.kekName
    adminKeyName: vault.outputs.adminKeyName
    proxy: proxy
  }
}

module access 'modules/access.bicep' = {
  scope: group
  params: {
    identityName: identity.outputs.name
    administratorId: administratorId
    hostStorageName: hostStorage.outputs.name
    mediaStorageName: mediaStorage.outputs.name
    cosmosName: data.outputs.name
    vaultName: vault.outputs.name
    kekName: vault.outputs.kekName
    adminKeyName: vault.outputs.adminKeyName
    insightsName: monitor.outputs.insightsName
  }
}

@description('Region of everything.')
output AZURE_LOCATION string = location

@description('Directory that the subscription trusts.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('Resource group of everything.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output SERVICE_APP_NAME string = app.outputs.name

@description('Origin of the app.')
output SERVICE_APP_URI string = app.outputs.origin

@description('Vault that keeps the admin key.')
output VAULT_NAME string = vault.outputs.name
