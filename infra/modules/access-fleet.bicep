// What the app may do with machines: look at them, start them, deallocate them, and nothing else.

@description('Identity that the app acts as.')
param identityName string

@description('Resource group of that identity.')
param identityGroupName string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  scope: resourceGroup(identityGroupName)
  name: identityName
}

// No write, no delete, and no runCommand, which would be root on every machine.
resource power 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'fleet-power')
  properties: {
    // Unique in the whole directory.
    roleName: 'Movidone fleet power ${uniqueString(resourceGroup().id)}'
    description: 'Reads, starts and deallocates virtual machines.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Compute/virtualMachines/read'
          'Microsoft.Compute/virtualMachines/instanceView/read'
          'Microsoft.Compute/virtualMachines/start/action'
          'Microsoft.Compute/virtualMachines/deallocate/action'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource onFleet 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, identity.id, power.id)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: power.id
  }
}
