// How a thrown error reads once it comes back to an orchestrator: as long and as odd as in Azure, so that nobody matches it.
import { errorText } from './answer.ts'
import type { Failure } from './history.ts'

/** What `df.app.setExceptionPropertiesProvider` turns an activity's error into: its message is this, as JSON. */
interface Described {
  errorType: string
  errorMessage: string
  stackTrace?: string
  isNonRetriable?: boolean
  properties: unknown
}

function describedBy(message: string): Described | undefined {
  if (!message.startsWith('{"errorType":')) return undefined
  try {
    const described = JSON.parse(message) as Described
    return typeof described.errorMessage === 'string' && described.properties ? described : undefined
  } catch {
    return undefined
  }
}

export function activityFailure(name: string, error: unknown): Failure {
  const message = errorText(error)
  const described = describedBy(message)
  if (!described) {
    return {
      reason: `Activity function '${name}' failed:  ${message}`,
      details: dotnetException(error, message),
    }
  }
  const failureDetails = {
    ErrorType: described.errorType,
    ErrorMessage: described.errorMessage,
    StackTrace: described.stackTrace ?? null,
    IsNonRetriable: described.isNonRetriable ?? false,
    Properties: described.properties,
    InnerFailure: null,
  }
  return {
    reason: `Activity function '${name}' failed: ${described.errorMessage}`,
    details: '',
    failureDetails,
  }
}

/** The real host puts its own exception, serialised, behind every message. */
function dotnetException(error: unknown, message: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  return JSON.stringify({
    $type: 'System.Exception, System.Private.CoreLib',
    ClassName: 'System.Exception',
    Message: ` ${message}`,
    Data: null,
    InnerException: {
      $type: 'Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException, Microsoft.Azure.WebJobs.Script',
      IsUserException: false,
      RemoteStackTrace: stack,
      RemoteMessage: message,
      Message: `Result: Failure\nException: ${message}\nStack: ${stack}`,
    },
  })
}
