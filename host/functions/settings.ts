// Which environment the app sees: its `local.settings.json` under the real environment, and what the host adds.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf, startupError } from './startup-error.ts'

const schema = z.looseObject({
  IsEncrypted: z.boolean().optional(),
  Values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  Host: z
    .looseObject({
      LocalHttpPort: z.coerce.number().int().min(0).max(65_535).optional(),
      CORS: z.string().optional(),
    })
    .optional(),
})

export interface LocalSettings {
  readonly values: Readonly<Record<string, string>>
  readonly port: number | undefined
  readonly cors: string | undefined
}

export function readLocalSettings(folder: string): LocalSettings {
  const file = join(folder, 'local.settings.json')
  if (!existsSync(file)) return { values: {}, port: undefined, cors: undefined }
  let parsed: z.infer<typeof schema>
  try {
    parsed = schema.parse(JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')))
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)
    throw startupError(`local.settings.json is not valid: ${reason}`, error)
  }
  if (parsed.IsEncrypted) {
    throw startupError('local.settings.json is encrypted: decrypt it with `func settings decrypt`.')
  }
  const values = Object.fromEntries(
    Object.entries(parsed.Values ?? {}).map(([name, value]) => [name, String(value)]),
  )
  return { values, port: parsed.Host?.LocalHttpPort, cors: parsed.Host?.CORS }
}

/** A setting of the file never overrides one that the real environment has. */
export function applySettings(env: NodeJS.ProcessEnv, settings: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(settings)) env[name] ??= value
}

/** `PORT` comes before the port of local.settings.json. */
export function portFrom(setting: string | undefined, local: number | undefined): number {
  if (!setting) return local ?? 7071
  const port = Number(setting)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw startupError(`PORT is '${setting}', not a port.`)
  return port
}

/** What an app finds in its environment under `func start`; the durable client builds its links from the hostname. */
export function describeHost(env: NodeJS.ProcessEnv, folder: string, port: number): void {
  applySettings(env, {
    FUNCTIONS_WORKER_RUNTIME: 'node',
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    AzureWebJobsScriptRoot: folder,
  })
  env['WEBSITE_HOSTNAME'] = `localhost:${port}`
  process.chdir(folder)
}
