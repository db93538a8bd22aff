// Reads and writes the engine's tables; what an episode changes together is in commit.ts.
import { randomBytes } from 'node:crypto'
import type { Message } from './batch.ts'
import type { HistoryEvent, Note } from './history.ts'
import { openDatabase } from './schema.ts'

export interface Instance {
  readonly id: string
  readonly executionId: string
  readonly name: string
  readonly version: string
  readonly status: 'Pending' | 'Running' | 'Completed' | 'Failed' | 'Terminated'
  /** JSON texts. */
  readonly input: string
  readonly output: string | null
  readonly customStatus: string | null
  readonly createdMs: number
  readonly updatedMs: number
  /** 1 until its orchestrator has run once in this execution. */
  readonly isFresh: number
  readonly parentId: string | null
  readonly parentExecutionId: string | null
  readonly parentTask: number | null
}

/** One run of an activity that is owed. */
export interface Work {
  readonly id: number
  readonly instanceId: string
  readonly executionId: string
  readonly task: number
  readonly name: string
  readonly input: string | null
  readonly isRetriable: number
  readonly isStarted: number
}

export type Address = Pick<Work, 'instanceId' | 'executionId'>

export const isActive = ({ status }: Pick<Instance, 'status'>) => status === 'Pending' || status === 'Running'

export type Store = ReturnType<typeof openStore>

export function openStore(directory: string) {
  const database = openDatabase(directory)
  const prepare = (sql: string) => database.prepare(sql)
  const sql = {
    begin: prepare('BEGIN IMMEDIATE'),
    commit: prepare('COMMIT'),
    rollback: prepare('ROLLBACK'),
    instance: prepare('SELECT * FROM instances WHERE id = ?'),
    putInstance: prepare(
      `INSERT OR REPLACE INTO instances VALUES (:id, :executionId, :name, :version, :status, :input, :output,
       :customStatus, :createdMs, :updatedMs, :isFresh, :parentId, :parentExecutionId, :parentTask)`,
    ),
    inbox: prepare('SELECT id, executionId, event FROM inbox WHERE instanceId = ? ORDER BY id'),
    // Messages to an instance that has ended, or to an earlier execution of it, have nobody to read them.
    post: prepare(
      `INSERT INTO inbox (instanceId, executionId, event) SELECT id, :executionId, :event FROM instances
       WHERE id = :instanceId AND status IN ('Pending', 'Running') AND executionId = coalesce(:executionId, executionId)`,
    ),
    history: prepare('SELECT event, note FROM history WHERE instanceId = ? ORDER BY place'),
    putEvent: prepare('INSERT INTO history (instanceId, place, event, note) VALUES (?, ?, ?, ?)'),
    clearHistory: prepare('DELETE FROM history WHERE instanceId = ?'),
    clearInbox: prepare('DELETE FROM inbox WHERE instanceId = ? AND (? = 1 OR executionId IS NOT NULL)'),
    clearTimers: prepare('DELETE FROM timers WHERE instanceId = ?'),
    dropMessage: prepare('DELETE FROM inbox WHERE id = ?'),
    putActivity: prepare(
      'INSERT INTO activities (instanceId, executionId, task, name, input, isRetriable) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    activities: prepare('SELECT * FROM activities ORDER BY id'),
    startActivity: prepare('UPDATE activities SET isStarted = 1 WHERE id = ?'),
    dropActivity: prepare('DELETE FROM activities WHERE id = ?'),
    putTimer: prepare('INSERT INTO timers VALUES (?, ?, ?, ?, ?)'),
    dropTimer: prepare('DELETE FROM timers WHERE instanceId = ? AND executionId = ? AND task = ?'),
    dropFired: prepare(
      "DELETE FROM inbox WHERE instanceId = ? AND executionId = ? AND json_extract(event, '$.TimerId') = ?",
    ),
    nextDue: prepare('SELECT min(dueMs) AS dueMs FROM timers'),
    due: prepare('SELECT * FROM timers WHERE dueMs <= ? ORDER BY dueMs, task LIMIT 1000'),
    waiting: prepare(
      "SELECT id FROM instances WHERE isFresh = 1 AND status IN ('Pending', 'Running') UNION SELECT instanceId FROM inbox",
    ),
    setting: prepare('SELECT value FROM settings WHERE name = ?'),
    putSetting: prepare('INSERT INTO settings VALUES (?, ?)'),
  }
  let isOpen = true

  function transaction<Result>(work: () => Result): Result {
    sql.begin.run()
    try {
      const result = work()
      sql.commit.run()
      return result
    } catch (error) {
      sql.rollback.run()
      throw error
    }
  }

  return {
    sql,
    transaction,
    isOpen: () => isOpen,
    instance: (id: string) => sql.instance.get(id) as Instance | undefined,
    putInstance: (instance: Instance) => sql.putInstance.run({ ...instance }),
    /** False when nobody is there to read it. */
    post(to: { instanceId: string; executionId: string | null }, event: HistoryEvent): boolean {
      const { instanceId, executionId } = to
      return Number(sql.post.run({ instanceId, executionId, event: JSON.stringify(event) }).changes) > 0
    },
    inbox: (instanceId: string): Message[] =>
      (sql.inbox.all(instanceId) as { id: number; executionId: string | null; event: string }[]).map(
        (row) => ({
          ...row,
          event: JSON.parse(row.event) as HistoryEvent,
        }),
      ),
    history: (instanceId: string) =>
      (sql.history.all(instanceId) as { event: string; note: string | null }[]).map(({ event, note }) => ({
        json: event,
        event: JSON.parse(event) as HistoryEvent,
        note: note === null ? undefined : (JSON.parse(note) as Note),
      })),
    activities: () => sql.activities.all() as unknown as Work[],
    dueTimers: (nowMs: number) =>
      sql.due.all(nowMs) as unknown as (Address & { task: number; fireAt: string })[],
    nextDueMs: () => (sql.nextDue.get() as { dueMs: number | null }).dueMs ?? undefined,
    waiting: () => (sql.waiting.all() as { id: string }[]).map(({ id }) => id),
    /** The webhooks' key; made once for the database. */
    systemKey(): string {
      const found = sql.setting.get('systemKey') as { value: string } | undefined
      if (found) return found.value
      const value = randomBytes(32).toString('base64url')
      sql.putSetting.run('systemKey', value)
      return value
    },
    close() {
      if (isOpen) database.close()
      isOpen = false
    },
  }
}
