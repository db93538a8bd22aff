// What the fleet keeps: one document a node, with the hash of its secret.
export interface Node {
  readonly id: string
  readonly pool: 'encoder'
  readonly type: 'node'
  readonly schema: 1
  readonly sha256: string
  readonly createdAt: string
}

/** Container `fleet`, a partition a pool. */
export interface NodeStore {
  get(pool: Node['pool'], id: string): Promise<Node | undefined>
  all(pool: Node['pool']): Promise<Node[]>
  put(node: Node): Promise<void>
  remove(pool: Node['pool'], id: string): Promise<void>
}
