// How large an environment is: everything in which dev and prod differ, as data.

@export()
@description('Tags that every resource carries; azd finds its environment and its service by them.')
type Tags = { 'azd-env-name': string, product: string }

@export()
@description('How machines are made.')
type Machines = {
  @description('Name of the one account that Azure asks for; nobody can log in with it from outside.')
  adminUsername: string
  @description('Public half of an SSH key; without one there are no machines.')
  sshPublicKey: string
  @description('Encrypts caches and temporary disks too; the feature has to be registered in the subscription once.')
  encryptionAtHost: bool
}

@export()
@description('One size of the platform.')
type Size = {
  @description('Memory of one instance; 4096 MB brings two cores, which ffmpeg wants.')
  instanceMemoryMB: 512 | 2048 | 4096
  @description('Most on-demand instances of a group of functions.')
  maximumInstanceCount: int
  @description('HTTP requests that one instance takes at once; times ANSWER_MAX_BYTES it must fit into memory.')
  httpConcurrency: int
  @description('Instances that are never given back: what an idle platform costs.')
  alwaysReady: { name: 'http' | 'durable', instanceCount: int }[]
  @description('Spread over the availability zones of the region.')
  zoneRedundant: bool
  @description('Redundancy of the storage accounts.')
  storageSku: 'Standard_LRS' | 'Standard_ZRS'
  @description('Autoscale ceiling that all containers share, in RU/s; null is serverless, billed by the request.')
  maximumThroughput: int?
  @description('Window within which Cosmos DB can be restored to any second.')
  backupTier: 'Continuous7Days' | 'Continuous30Days'
  @description('Premium keeps the KEK in a hardware security module.')
  vaultSku: 'standard' | 'premium'
  @description('Days for which a deleted vault can be had back; fixed at its creation.')
  vaultRetentionDays: int
  @description('Days for which logs are kept.')
  logRetentionDays: int
  @description('Gigabytes of logs taken in a day, a bound on their cost; -1 is no bound.')
  logDailyQuotaGb: int
}

@export()
@description('The sizes there are.')
var sizes = {
  dev: {
    instanceMemoryMB: 4096
    maximumInstanceCount: 40
    httpConcurrency: 32
    alwaysReady: []
    zoneRedundant: false
    storageSku: 'Standard_LRS'
    maximumThroughput: null
    backupTier: 'Continuous7Days'
    vaultSku: 'standard'
    vaultRetentionDays: 7
    logRetentionDays: 30
    logDailyQuotaGb: 1
  }
  prod: {
    instanceMemoryMB: 4096
    maximumInstanceCount: 100
    httpConcurrency: 32
    // Zone redundancy asks for two of each; with one, players were seen to wait while it was moved.
    alwaysReady: [{ name: 'http', instanceCount: 2 }, { name: 'durable', instanceCount: 2 }]
    zoneRedundant: true
    storageSku: 'Standard_ZRS'
    maximumThroughput: 4000
    backupTier: 'Continuous30Days'
    vaultSku: 'premium'
    vaultRetentionDays: 90
    logRetentionDays: 90
    logDailyQuotaGb: -1
  }
}
