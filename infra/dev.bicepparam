// An environment to try things in: serverless, no zones, next to nothing when idle.
using 'main.bicep'

param environmentName = 'dev'
param size = 'dev'
param administratorId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param machines = {
  adminUsername: 'movidone'
  sshPublicKey: readEnvironmentVariable('MOVIDONE_FLEET_SSH_KEY', '')
  encryptionAtHost: true
}
