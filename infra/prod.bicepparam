// An environment for viewers: three zones, autoscale, instances that are always ready.
using 'main.bicep'

param environmentName = 'prod'
param size = 'prod'
param administratorId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
