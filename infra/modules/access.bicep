// Who may do what: every role assignment is here; those of machines are in access-fleet.bicep and access-nodes.bicep.

@description('Name of the identity that the app acts as.')
param identityName string

@description('Person or group that may read the admin key; empty for none.')
param administratorId string

@description('Storage account of the Functions host.')
param hostStorageName string

@description('Storage account of sources and media.')
param mediaStorageName string

@description('Cosmos DB account.')
param cosmosName string

@description('Vault.')
param vaultName string

@description('Key encryption key.')
param kekName string

@description('Name under which the vault keeps the admin key.')
param adminKeyName string

@description('Application Insights component.')
param insightsName string

@description('Name of the database.')
param databaseName string

@description('Roles of machines, none without machines; their identities in the same order; the group that they are in.')
param nodes { pools: ('encoder' | 'edge')[], identityNames: string[], groupName: string }

var roles = {
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobDelegator: 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  cryptoServiceEncryptionUser: 'e147488a-f6f5-4113-8e2d-b22465e65bf6'
  secretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource hostStorage 'Microsoft.Storage/storageAccounts@2026-06-01' existing = {
  name: hostStorageName
}

resource mediaStorage 'Microsoft.Storage/storageAccounts@2026-06-01' existing = {
  name: mediaStorageName
}

resource cosmos 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' existing = {
  name: cosmosName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
  resource kek 'keys' existing = { name: kekName }
  resource adminKey 'secrets' existing = { name: adminKeyName }
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// The host keeps leases, keys and packages in blobs, and Durable its queues and history beside them.
resource onHostStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.blobDataOwner, roles.queueDataContributor, roles.tableDataContributor]: {
    name: guid(hostStorage.id, identity.id, role)
    scope: hostStorage
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

// Delegator mints the user delegation keys that upload URLs are signed with; it works at the account alone.
resource onMediaStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.blobDataContributor, roles.blobDelegator]: {
    name: guid(mediaStorage.id, identity.id, role)
    scope: mediaStorage
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

// Wrap and unwrap with this one key: no other key, no reading of its private part, no management.
resource onKek 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault::kek.id, identity.id, roles.cryptoServiceEncryptionUser)
  scope: vault::kek
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.cryptoServiceEncryptionUser
    )
  }
}

resource onAdminKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault::adminKey.id, identity.id, roles.secretsUser)
  scope: vault::adminKey
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsUser)
  }
}

// No principalType: it may be a person, a group or the principal of a pipeline.
resource administrator 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(administratorId)) {
  name: guid(vault::adminKey.id, administratorId, roles.secretsUser)
  scope: vault::adminKey
  properties: {
    principalId: administratorId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsUser)
  }
}

resource onInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, identity.id, roles.metricsPublisher)
  scope: insights
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.metricsPublisher
    )
  }
}

// Cosmos DB has data roles of its own; 0002 reads and writes documents, and can't make or drop containers.
resource onCosmos 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2026-03-15' = {
  parent: cosmos
  name: guid(cosmos.id, identity.id, 'data-contributor')
  properties: {
    principalId: identity.properties.principalId
    roleDefinitionId: '${cosmos.id}/sqlRoleDefinitions/00000000-0000-0000-0000-000000000002'
    scope: cosmos.id
  }
}

module onStores 'access-nodes.bicep' = if (!empty(nodes.pools)) {
  params: {
    pools: nodes.pools
    identityNames: nodes.identityNames
    hostStorageName: hostStorageName
    mediaStorageName: mediaStorageName
    cosmosName: cosmosName
    databaseName: databaseName
    vaultName: vaultName
    kekName: kekName
    administratorId: administratorId
  }
}

module onFleet 'access-fleet.bicep' = if (!empty(nodes.pools)) {
  scope: resourceGroup(nodes.groupName)
  params: { identityName: identityName, identityGroupName: resourceGroup().name }
}
