// The platform in one resource group, its machines in another: this file wires, the modules build, access*.bicep alone grant.
targetScope = 'subscription'

import { Fleet, fleets, noFleet } from 'modules/pools.bicep'
import { Places, Proxy } from 'modules/settings.bicep'
import { Machines, Size, sizes, Tags } from 'modules/size.bicep'

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

@description('How machines are made; without an SSH key there are none, and the app does all their work.')
param machines Machines = { adminUsername: 'movidone', sshPublicKey: '', encryptionAtHost: true }

@description('Raise it to build anew while a deleted vault still holds its name.')
@minValue(1)
@maxValue(99)
param vaultGeneration int = 1

var chosen Size = sizes[size]
var fleet Fleet = empty(machines.sshPublicKey) ? noFleet : fleets[size]
var pools = map(fleet.pools, pool => pool.name)
var hasFleet = !empty(pools)
var token = uniqueString(subscription().id, environmentName, location)
var tags Tags = { 'azd-env-name': environmentName, product: 'movidone' }
// The one list of containers, which the local platform reads too.
var folders = loadJsonContent('stores.json').blobs

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-movidone-${environmentName}'
  location: location
  tags: tags
}

// What the app may do with machines holds for this group: nothing else is in it.
resource fleetGroup 'Microsoft.Resources/resourceGroups@2025-04-01' = if (hasFleet) {
  name: '${group.name}-fleet'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token, pools: pools }
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
    containers: hasFleet ? ['packages', 'worker'] : ['packages']
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
    containers: folders
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

var places Places = {
  publicUrl: empty(publicUrl) ? app.outputs.origin : publicUrl
  blobUrl: mediaStorage.outputs.blobUrl
  cosmosEndpoint: data.outputs.endpoint
  databaseName: data.outputs.databaseName
  vaultUrl: vault.outputs.url
  kekName: vault.outputs.kekName
  fleetGroupName: hasFleet ? fleetGroup.name : ''
}

module settings 'modules/settings.bicep' = {
  scope: group
  params: {
    appName: app.outputs.name
    clientId: identity.outputs.clientId
    hostStorageName: hostStorage.outputs.name
    insightsName: monitor.outputs.insightsName
    adminKeyName: vault.outputs.adminKeyName
    places: places
    proxy: proxy
    fleet: fleet
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
    databaseName: data.outputs.databaseName
    nodes: { pools: pools, identityNames: identity.outputs.nodeNames, groupName: places.fleetGroupName }
  }
}

module nodes 'modules/fleet.bicep' = if (hasFleet) {
  scope: fleetGroup
  params: {
    location: location
    tags: tags
    token: token
    fleet: fleet
    machines: machines
    identityGroupName: group.name
    identityNames: identity.outputs.nodeNames
    places: places
    appUrl: app.outputs.origin
    workerUrl: '${hostStorage.outputs.blobUrl}worker'
  }
}

@description('Resource group of everything but machines.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Storage account that keeps the worker, in the container of that name; empty where there are no machines.')
output WORKER_STORAGE_NAME string = hasFleet ? hostStorage.outputs.name : ''

@description('Name of the function app.')
output SERVICE_APP_NAME string = app.outputs.name

@description('Origin of the app.')
output SERVICE_APP_URI string = app.outputs.origin

@description('Vault that keeps the admin key.')
output VAULT_NAME string = vault.outputs.name
