// The function app: one Flex Consumption plan with one app that serves all stages.
import { Size, Tags } from 'size.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Suffix that makes names unique.')
@minLength(1)
param token string

@description('Size of the platform.')
param size Size

@description('Version of Node.js.')
param nodeVersion '22' | '24' = '24'

@description('Resource id of the identity that the app acts as.')
param identityId string

@description('Container that deployments are read from.')
param packageUrl string

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: size.zoneRedundant }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${token}'
  location: location
  tags: { ...tags, 'azd-service-name': 'app' }
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: { minTlsVersion: '1.2', http20Enabled: true }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'node', version: nodeVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: size.instanceMemoryMB
        maximumInstanceCount: size.maximumInstanceCount
        alwaysReady: size.alwaysReady
        triggers: { http: { perInstanceConcurrency: size.httpConcurrency } }
      }
      // The other way, to recreate all instances at once, would end every encode and every answer under way.
      #disable-next-line BCP037 // Not in the types yet.
      siteUpdateStrategy: { type: 'RollingUpdate' }
    }
  }
}

@description('Name of the app.')
output name string = site.name

@description('Origin of the app.')
output origin string = 'https://${site.properties.defaultHostName}'
