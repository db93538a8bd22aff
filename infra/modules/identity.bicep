// Who the app is, and who machines are by their role: user-assigned identities, so that rights outlive what acts as them.
import { Tags } from 'size.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Suffix that makes names unique.')
@minLength(1)
param token string

@description('Roles of machines.')
param pools string[]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${token}'
  location: location
  tags: tags
}

resource nodes 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = [
  for pool in pools: {
    name: 'id-${token}-${pool}'
    location: location
    tags: tags
  }
]

@description('Name of the identity.')
output name string = identity.name

@description('Resource id of the identity.')
output id string = identity.id

@description('Client id that the SDKs ask tokens for.')
output clientId string = identity.properties.clientId

@description('Names of the identities of machines, in the order of their roles.')
output nodeNames string[] = [for (pool, n) in pools: nodes[n].name]
