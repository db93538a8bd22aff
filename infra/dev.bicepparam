// An environment to try things in: serverless, no zones, next to nothing when idle.
using 'main.bicep'

param environmentName = 'dev'
param size = 'dev'
param administratorId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
