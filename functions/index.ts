// Where the app begins: binds what this deployment serves of the stages to the Functions host; stages.ts lists them.
import { fileURLToPath } from 'node:url'
import { app as azure } from '@azure/functions'
import { createApp } from '../shared/app.ts'
import { configFromEnvironment } from '../shared/config/index.ts'
import { bind } from './bind.ts'
import { definitionsFor } from './stages.ts'

azure.setup({ enableHttpStream: true })
const config = configFromEnvironment()
const app = createApp(config, { webFolder: fileURLToPath(new URL('./web', import.meta.url)) })
for (const definition of definitionsFor(config.stages)) bind(definition, app)
