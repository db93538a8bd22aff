// Who the app is: one user-assigned identity, so that its roles outlive the app itself.
import { Tags } from 'size.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Suffix that makes names unique.')
@minLength(1)
param token string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${token}'
  location: location
  tags: tags
}

@description('Name of the identity.')
output name string = identity.name

@description('Resource id of the identity.')
output id string = identity.id

@description('Client id that the SDKs ask tokens for.')
output clientId string = identity.properties.clientId
