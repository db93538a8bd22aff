// What azd deploys: its environment's variables decide; `azd env set` changes them.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param size = readEnvironmentVariable('MOVIDONE_SIZE', 'dev')
param administratorId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param uploadOrigins = filter(
  split(readEnvironmentVariable('MOVIDONE_UPLOAD_ORIGINS', ''), ','),
  origin => !empty(origin)
)
param publicUrl = readEnvironmentVariable('MOVIDONE_PUBLIC_URL', '')
param vaultGeneration = int(readEnvironmentVariable('MOVIDONE_VAULT_GENERATION', '1'))
param proxy = {
  hops: int(readEnvironmentVariable('MOVIDONE_PROXY_HOPS', '1'))
  proof: readEnvironmentVariable('MOVIDONE_PROXY_PROOF', '')
  countryHeader: readEnvironmentVariable('MOVIDONE_COUNTRY_HEADER', '')
}
param machines = {
  adminUsername: readEnvironmentVariable('MOVIDONE_FLEET_USER', 'movidone')
  sshPublicKey: readEnvironmentVariable('MOVIDONE_FLEET_SSH_KEY', '')
  encryptionAtHost: bool(readEnvironmentVariable('MOVIDONE_FLEET_HOST_ENCRYPTION', 'true'))
}
