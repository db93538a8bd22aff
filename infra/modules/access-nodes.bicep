// What machines may do in the platform's own group, by role: documents and blobs that their work touches, and the one key.

@description('Roles of machines.')
param pools ('encoder' | 'edge')[]

@description('Their identities, in the order of the roles.')
param identityNames string[]

@description('Storage account of the Functions host, which keeps the worker too.')
param hostStorageName string

@description('Storage account of sources and media.')
param mediaStorageName string

@description('Cosmos DB account.')
param cosmosName string

@description('Name of the database.')
param databaseName string

@description('Vault.')
param vaultName string

@description('Key encryption key.')
param kekName string

@description('Person or group that may put a new version of the worker there; empty for none.')
param administratorId string

var roles = {
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  cryptoServiceEncryptionUser: 'e147488a-f6f5-4113-8e2d-b22465e65bf6'
}

// `writes` are read too. An encoder claims units and reports over the API; an edge serves sessions that others opened.
var rights = {
  encoder: {
    blobs: { reads: ['sources'], writes: ['media'] }
    // A title grows, and tells its progress, by what its units tell.
    documents: { reads: ['keys'], writes: ['assets', 'fleet', 'units'] }
  }
  edge: {
    blobs: { reads: ['media'], writes: [] }
    // Each session opened with a grant is counted beside the titles.
    documents: { reads: ['keys', 'revocations', 'tenants'], writes: ['assets', 'fleet', 'sessions'] }
  }
}

var onBlobs = flatten(map(
  pools,
  (pool, n) => [
    ...map(rights[pool].blobs.reads, name => { n: n, name: name, role: roles.blobDataReader })
    ...map(rights[pool].blobs.writes, name => { n: n, name: name, role: roles.blobDataContributor })
  ]
))
// Cosmos DB has data roles of its own: 0001 reads documents, 0002 writes them too.
var onDocuments = flatten(map(
  pools,
  (pool, n) => [
    ...map(
      rights[pool].documents.reads,
      name => { n: n, name: name, role: '00000000-0000-0000-0000-000000000001' }
    )
    ...map(
      rights[pool].documents.writes,
      name => { n: n, name: name, role: '00000000-0000-0000-0000-000000000002' }
    )
  ]
))

resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [
  for (pool, n) in pools: {
    name: identityNames[n]
  }
]

resource hostStorage 'Microsoft.Storage/storageAccounts@2026-06-01' existing = {
  name: hostStorageName
  resource blobs 'blobServices' existing = {
    name: 'default'
    resource worker 'containers' existing = { name: 'worker' }
  }
}

resource mediaStorage 'Microsoft.Storage/storageAccounts@2026-06-01' existing = {
  name: mediaStorageName
  resource blobs 'blobServices' existing = { name: 'default' }
}

resource folders 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-06-01' existing = [
  for grant in onBlobs: {
    parent: mediaStorage::blobs
    name: grant.name
  }
]

resource cosmos 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' existing = {
  name: cosmosName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
  resource kek 'keys' existing = { name: kekName }
}

// What they run: read, never written.
resource onWorker 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (pool, n) in pools: {
    name: guid(hostStorage::blobs::worker.id, identities[n].id, roles.blobDataReader)
    scope: hostStorage::blobs::worker
    properties: {
      principalId: identities[n].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.blobDataReader
      )
    }
  }
]

// Whoever may write there decides what every machine runs.
resource administrator 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(administratorId)) {
  name: guid(hostStorage::blobs::worker.id, administratorId, roles.blobDataContributor)
  scope: hostStorage::blobs::worker
  properties: {
    principalId: administratorId
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.blobDataContributor
    )
  }
}

resource onMedia 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, n) in onBlobs: {
    name: guid(folders[n].id, identities[grant.n].id, grant.role)
    scope: folders[n]
    properties: {
      principalId: identities[grant.n].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    }
  }
]

// Segments are sealed and opened where they are made and served: content keys are unwrapped there, by this one key.
resource onKek 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (pool, n) in pools: {
    name: guid(vault::kek.id, identities[n].id, roles.cryptoServiceEncryptionUser)
    scope: vault::kek
    properties: {
      principalId: identities[n].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.cryptoServiceEncryptionUser
      )
    }
  }
]

resource onCosmos 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2026-03-15' = [
  for grant in onDocuments: {
    parent: cosmos
    name: guid(cosmos.id, identities[grant.n].id, grant.name, grant.role)
    properties: {
      principalId: identities[grant.n].properties.principalId
      roleDefinitionId: '${cosmos.id}/sqlRoleDefinitions/${grant.role}'
      scope: '${cosmos.id}/dbs/${databaseName}/colls/${grant.name}'
    }
  }
]
