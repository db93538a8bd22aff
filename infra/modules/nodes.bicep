// The machines themselves: Azure makes them running, the app sends them to sleep; what they run, they fetch at each boot.
import { Fleet, Node, nodesOf } from 'pools.bicep'
import { Places, sharedSettings } from 'settings.bicep'
import { Machines, Tags } from 'size.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Which machines there are.')
param fleet Fleet

@description('How they are made.')
param machines Machines

@description('Resource group of their identities.')
param identityGroupName string

@description('Who they are, in the order of the pools.')
param identityNames string[]

@description('Subnet that they are in.')
param subnetId string

@description('What an edge belongs to, so that its port is open.')
param edgesId string

@description('Port that edges serve on.')
param edgePort int

@description('Where everything is.')
param places Places

@description('Origin of the app itself, where machines report.')
param appUrl string

@description('Container that the worker is fetched from.')
param workerUrl string

var nodes Node[] = nodesOf(fleet)
var pools = map(fleet.pools, pool => pool.name)

// Azure never lets it be changed on a machine that exists: so it only fetches, and a test pins it.
var customData = base64(replace(
  loadTextContent('../node/cloud-init.yaml'),
  '__FETCH__',
  loadFileAsBase64('../node/fetch.sh')
))

resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [
  for (pool, n) in pools: {
    scope: resourceGroup(identityGroupName)
    name: identityNames[n]
  }
]

resource cards 'Microsoft.Network/networkInterfaces@2026-01-01' = [
  for node in nodes: {
    name: 'nic-${node.id}'
    location: location
    tags: tags
    properties: {
      ipConfigurations: [
        {
          name: 'inside'
          properties: {
            subnet: { id: subnetId }
            privateIPAllocationMethod: 'Dynamic'
            applicationSecurityGroups: node.pool == 'edge' ? [{ id: edgesId }] : []
          }
        }
      ]
    }
  }
]

resource vms 'Microsoft.Compute/virtualMachines@2026-03-01' = [
  for (node, n) in nodes: {
    name: node.id
    location: location
    tags: { ...tags, pool: node.pool }
    zones: empty(node.group.zone) ? [] : [node.group.zone]
    identity: {
      type: 'UserAssigned'
      userAssignedIdentities: { '${identities[indexOf(pools, node.pool)].id}': {} }
    }
    properties: {
      hardwareProfile: { vmSize: node.group.size }
      ...(node.group.?spot ?? false
        ? { priority: 'Spot', evictionPolicy: 'Deallocate', billingProfile: { maxPrice: -1 } }
        : {})
      storageProfile: {
        imageReference: {
          publisher: 'Canonical'
          offer: 'ubuntu-24_04-lts'
          sku: 'server'
          version: 'latest'
        }
        osDisk: {
          name: 'disk-${node.id}'
          createOption: 'FromImage'
          deleteOption: 'Delete'
          caching: 'ReadWrite'
          // A disk on the host itself would be faster, and a machine that has one can't be deallocated.
          managedDisk: { storageAccountType: 'StandardSSD_LRS' }
        }
      }
      osProfile: {
        computerName: node.id
        adminUsername: machines.adminUsername
        customData: customData
        // What is installed comes with cloud-init; nobody runs anything else from outside.
        allowExtensionOperations: false
        linuxConfiguration: {
          disablePasswordAuthentication: true
          ssh: {
            publicKeys: [
              { path: '/home/${machines.adminUsername}/.ssh/authorized_keys', keyData: machines.sshPublicKey }
            ]
          }
        }
      }
      // Read anew at each boot, and unlike customData it can be changed.
      userData: base64(join(
        [
          ...map(items(sharedSettings(places, fleet)), setting => '${setting.key}=${setting.value}')
          'NODE_ID=${node.id}'
          'AZURE_CLIENT_ID=${identities[indexOf(pools, node.pool)].properties.clientId}'
          'FLEET_URL=${appUrl}'
          'WORKER_URL=${workerUrl}'
          'FFMPEG_PATH=/opt/movidone/current/bin/ffmpeg'
          'FFPROBE_PATH=/opt/movidone/current/bin/ffprobe'
          ...(node.pool == 'edge'
            ? [
                'EDGE_HOST=${cards[n].properties.ipConfigurations[0].properties.privateIPAddress}'
                'EDGE_PORT=${edgePort}'
              ]
            : [])
          ''
        ],
        '\n'
      ))
      securityProfile: {
        securityType: 'TrustedLaunch'
        uefiSettings: { secureBootEnabled: true, vTpmEnabled: true }
        encryptionAtHost: machines.encryptionAtHost
      }
      // The last lines of a machine that does not come up are in the portal, without a way into it.
      diagnosticsProfile: { bootDiagnostics: { enabled: true } }
      networkProfile: { networkInterfaces: [{ id: cards[n].id, properties: { deleteOption: 'Delete' } }] }
    }
  }
]
