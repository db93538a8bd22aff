// The fleet in its own resource group: a closed network, and the machines in it.
import { Fleet } from 'pools.bicep'
import { Places } from 'settings.bicep'
import { Machines, Tags } from 'size.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Suffix that makes names unique.')
@minLength(1)
param token string

@description('Which machines there are.')
param fleet Fleet

@description('How they are made.')
param machines Machines

@description('Resource group of their identities.')
param identityGroupName string

@description('Who they are, in the order of the pools.')
param identityNames string[]

@description('Where everything is.')
param places Places

@description('Origin of the app itself, where machines report.')
param appUrl string

@description('Container that the worker is fetched from.')
param workerUrl string

@description('Port that edges serve on.')
param edgePort int = 8080

module network 'network.bicep' = {
  params: { location: location, tags: tags, token: token, edgePort: edgePort }
}

module nodes 'nodes.bicep' = {
  params: {
    location: location
    tags: tags
    fleet: fleet
    machines: machines
    identityGroupName: identityGroupName
    identityNames: identityNames
    subnetId: network.outputs.subnetId
    edgesId: network.outputs.edgesId
    edgePort: edgePort
    places: places
    appUrl: appUrl
    workerUrl: workerUrl
  }
}
