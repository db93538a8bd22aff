// Where the two secrets of the platform live: the key that wraps all content keys, and the first admin key.
import { Size, Tags } from 'size.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Size of the platform.')
param size Size

@description('Workspace that keeps the record of every use of the keys.')
param workspaceName string

@description('First half of the admin key: random at every deployment, kept from the first one alone.')
@secure()
param adminKeyHead string = newGuid()

@description('Second half of the admin key; one GUID has 122 random bits, an admin key shall have more.')
@secure()
param adminKeyTail string = newGuid()

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: size.vaultSku }
    enableRbacAuthorization: true
    // Without the KEK no title can ever be played again: nobody may purge it.
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: size.vaultRetentionDays
  }
}

// An existing key is never changed by a deployment; each envelope records the version that wrapped it.
resource kek 'Microsoft.KeyVault/vaults/keys@2026-02-01' = {
  parent: vault
  name: 'kek'
  properties: {
    kty: size.vaultSku == 'premium' ? 'RSA-HSM' : 'RSA'
    keySize: 3072
    keyOps: ['wrapKey', 'unwrapKey']
    // The app wraps anew what an older version wrapped, within a day; media are not touched.
    rotationPolicy: {
      lifetimeActions: [{ action: { type: 'rotate' }, trigger: { timeAfterCreate: 'P1Y' } }]
    }
  }
}

@onlyIfNotExists()
resource adminKey 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = {
  parent: vault
  name: 'admin-key'
  properties: {
    contentType: 'text/plain'
    value: replace('${adminKeyHead}${adminKeyTail}', '-', '')
  }
}

#disable-next-line use-recent-api-versions // The last stable version (2016-09-01) has no category groups.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

@description('Name of the vault.')
output name string = vault.name

@description('Address of the vault.')
output url string = vault.properties.vaultUri

@description('Name of the key encryption key.')
output kekName string = kek.name

@description('Name under which the vault keeps the admin key.')
output adminKeyName string = adminKey.name
