// Who the application is in Azure: its managed identity, or on a developer's machine whoever is signed in there.
import type { TokenCredential } from '@azure/identity'

/** The identity SDK is a quarter second of loading, and an emulator needs none of it. */
export async function entraCredential(clientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity')
  return clientId ? new ManagedIdentityCredential({ clientId }) : new DefaultAzureCredential()
}
