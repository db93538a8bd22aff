// How machines are reached and what they reach: nothing comes in but viewers to edges, and all goes out through one gateway.
import { Tags } from 'size.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Suffix that makes names unique.')
@minLength(1)
param token string

@description('Port that edges serve on.')
param edgePort int

var addresses = '10.20.0.0/20'

// Rules that name it hold for edges alone.
resource edges 'Microsoft.Network/applicationSecurityGroups@2026-01-01' = {
  name: 'asg-${token}-edge'
  location: location
  tags: tags
}

resource rules 'Microsoft.Network/networkSecurityGroups@2026-01-01' = {
  name: 'nsg-${token}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'probes'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'AzureLoadBalancer'
          sourcePortRange: '*'
          destinationApplicationSecurityGroups: [{ id: edges.id }]
          destinationPortRange: string(edgePort)
        }
      }
      {
        name: 'edges'
        properties: {
          priority: 110
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationApplicationSecurityGroups: [{ id: edges.id }]
          destinationPortRange: string(edgePort)
        }
      }
      {
        // Before the default rules, which let the whole network and every load balancer in.
        name: 'nothing-else'
        properties: {
          priority: 4096
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource address 'Microsoft.Network/publicIPAddresses@2026-01-01' = {
  name: 'pip-${token}-out'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static', publicIPAddressVersion: 'IPv4' }
}

resource gateway 'Microsoft.Network/natGateways@2026-01-01' = {
  name: 'nat-${token}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: address.id }], idleTimeoutInMinutes: 4 }
}

resource network 'Microsoft.Network/virtualNetworks@2026-01-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addresses] }
    subnets: [
      {
        name: 'nodes'
        properties: {
          addressPrefix: addresses
          defaultOutboundAccess: false
          networkSecurityGroup: { id: rules.id }
          natGateway: { id: gateway.id }
          // Media, documents and keys go beside the gateway, which bills by the byte.
          serviceEndpoints: [
            { service: 'Microsoft.Storage' }
            { service: 'Microsoft.AzureCosmosDB' }
            { service: 'Microsoft.KeyVault' }
          ]
        }
      }
    ]
  }
}

@description('Subnet of the machines.')
output subnetId string = network.properties.subnets[0].id

@description('What an edge belongs to, so that its port is open.')
output edgesId string = edges.id
