// An environment for viewers: three zones, autoscale, instances that are always ready.
using 'main.bicep'

param environmentName = 'prod'
param size = 'prod'
param administratorId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param machines = {
  adminUsername: 'movidone'
  sshPublicKey: readEnvironmentVariable('MOVIDONE_FLEET_SSH_KEY', '')
  encryptionAtHost: true
}
