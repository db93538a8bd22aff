// The addresses under which an instance is managed, and the client binding that is made of them.

export interface Links {
  /** For a body or a `Location`: the request's own origin where there is one. */
  management(instanceId: string, origin: string): Record<string, string>
  clientBinding(): string
}

export const webhookBase = '/runtime/webhooks/durabletask'
export const rpcBase = '/durabletask'

export function createLinks({
  hubName,
  code,
  origin,
}: {
  hubName: string
  code: string
  origin: string
}): Links {
  const query = `taskHub=${encodeURIComponent(hubName)}&connection=Storage&code=${code}`

  function management(instanceId: string, from: string): Record<string, string> {
    const id = instanceId === placeholder ? placeholder : encodeURIComponent(instanceId)
    const base = `${from}${webhookBase}/instances/${id}`
    return {
      id: instanceId,
      statusQueryGetUri: `${base}?${query}`,
      sendEventPostUri: `${base}/raiseEvent/{eventName}?${query}`,
      terminatePostUri: `${base}/terminate?reason={text}&${query}`,
      rewindPostUri: `${base}/rewind?reason={text}&${query}`,
      purgeHistoryDeleteUri: `${base}?${query}`,
      restartPostUri: `${base}/restart?${query}`,
      suspendPostUri: `${base}/suspend?reason={text}&${query}`,
      resumePostUri: `${base}/resume?reason={text}&${query}`,
    }
  }

  function clientBinding(): string {
    const create = `${origin}${webhookBase}/orchestrators/{functionName}[/{instanceId}]?`
    return JSON.stringify({
      taskHubName: hubName,
      creationUrls: {
        createNewInstancePostUri: `${create}code=${code}`,
        createAndWaitOnNewInstancePostUri: `${create}timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=${code}`,
      },
      managementUrls: management(placeholder, origin),
      baseUrl: `${origin}${webhookBase}`,
      requiredQueryStringParameters: `code=${code}`,
      // By address: "localhost" may resolve to an address on which nothing listens.
      rpcBaseUrl: `http://127.0.0.1:${new URL(origin).port || 80}${rpcBase}/`,
    })
  }

  return { management, clientBinding }
}

const placeholder = 'INSTANCEID'
