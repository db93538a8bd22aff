// A committed snapshot of what a deployment would make, without Bicep: its resources, and who is granted what.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

export interface Resource {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly location?: string
  readonly zones?: readonly string[]
  readonly identity?: { readonly type: string; readonly userAssignedIdentities: Record<string, unknown> }
  readonly tags?: Record<string, string>
  readonly properties: Record<string, unknown>
}

const roleNames: Record<string, string> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1': 'Storage Blob Data Reader',
  'db58b8e5-c6ad-4a2a-8342-4190687cbf4a': 'Storage Blob Delegator',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  'e147488a-f6f5-4113-8e2d-b22465e65bf6': 'Key Vault Crypto Service Encryption User',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
  '00000000-0000-0000-0000-000000000001': 'Cosmos DB Built-in Data Reader',
  '00000000-0000-0000-0000-000000000002': 'Cosmos DB Built-in Data Contributor',
}

/** What is known only when deployed stays an expression in brackets. */
export const isExpression = (value: string): boolean => value.startsWith('[') && value.endsWith(']')

export function readSnapshot(size: string) {
  const path = join(import.meta.dirname, `../../infra/${size}.snapshot.json`)
  const { predictedResources: resources, diagnostics } = JSON.parse(readFileSync(path, 'utf8')) as {
    predictedResources: Resource[]
    diagnostics: unknown[]
  }
  const all = (type: string) => resources.filter((resource) => resource.type === type)
  const one = (type: string) => {
    const found = all(type)
    expect(found.map(({ name }) => name)).toHaveLength(1)
    return found[0] as Resource
  }
  // Names end in a token of 13 characters that differs by subscription, environment and region.
  const token = one('Microsoft.Web/serverfarms').name.replace('plan-', '')
  const short = (id: string) =>
    id
      .replace(/^.*\/resourceGroups\/rg-movidone-\w+-fleet$/, 'the fleet’s group')
      .replace(/^.*?\/providers\/[^/]+\//, '')
      .replace('/blobServices/default/containers', '')
      .replace(new RegExp(`-?${token}(-\\d+)?`), '')

  const who = (principal: string) =>
    new RegExp(`userAssignedIdentities/id-${token}-?(\\w*)'`).exec(principal)?.[1]?.replace(/^$/, 'app') ??
    principal.replace('00000000-0000-0000-0000-000000000003', 'administrator')

  /** `who | role | where`, sorted. */
  const grants = () => {
    const custom = all('Microsoft.Authorization/roleDefinitions').map(({ id, properties }) => [
      id.split('/').at(-1),
      String(properties['roleName']).replace(/ \w{13}$/, ''),
    ])
    const names = { ...roleNames, ...Object.fromEntries(custom) }
    return resources
      .filter(({ type }) => /roleassignments$/i.test(type))
      .map(({ id, properties }) => {
        const role = String(properties['roleDefinitionId']).split('/').at(-1) ?? ''
        const scope = String(
          properties['scope'] ?? id.replace(/\/providers\/Microsoft\.Authorization\/.*$/, ''),
        )
        return `${who(String(properties['principalId']))} | ${names[role] ?? role} | ${short(scope)}`
      })
      .sort()
  }
  const appSettings = () => one('Microsoft.Web/sites/config').properties as Record<string, string>
  return { resources, diagnostics, all, one, token, short, grants, appSettings }
}
