// Which machines there are: the pools of an environment, as data that builds the machines and tells the app of them.

@export()
@description('Machines that are alike; of the data, what the templates read. docs/7-fleet.md has all of it.')
type Group = {
  @description('Small letters and digits, unique in its pool.')
  name: string
  @description('Size of the machines.')
  size: string
  @description('Availability zone; empty for none.')
  zone: string
  @description('Machines that are made.')
  count: int
  @description('Of encoders: units that one machine does at once; 1 unless it says more.')
  slots: int?
  @description('Spare capacity at a lower price: Azure may take the machine back at any moment.')
  spot: bool?
}

@export()
@description('Machines of one role.')
type Pool = { name: 'encoder' | 'edge', groups: Group[] }

@export()
@description('All machines, and the currency of their prices.')
type Fleet = { currency: string, pools: Pool[] }

@export()
@description('One machine; its id is the name of its VM.')
type Node = { id: string, pool: 'encoder' | 'edge', group: Group }

@export()
@description('No machine at all.')
var noFleet = { currency: 'EUR', pools: [] }

@export()
@description('The fleet of each size of the platform.')
var fleets = { dev: loadJsonContent('../fleet/dev.json'), prod: loadJsonContent('../fleet/prod.json') }

@export()
@description('Every machine, named as shared/fleet/plan.ts names nodes.')
func nodesOf(fleet Fleet) Node[] =>
  flatten(map(
    fleet.pools,
    pool =>
      flatten(map(
        pool.groups,
        group =>
          map(
            range(1, group.count),
            n => { id: '${pool.name}-${group.name}-${n}', pool: pool.name, group: group }
          )
      ))
  ))

@export()
@description('The setting FLEET_POOLS: the same data without what concerns the templates alone.')
func poolsSetting(fleet Fleet) string =>
  empty(fleet.pools)
    ? ''
    : string({
        ...fleet
        pools: map(fleet.pools, pool => {
          ...pool
          groups: map(
            pool.groups,
            group =>
              toObject(filter(items(group), item => item.key != 'spot'), item => item.key, item => item.value)
          )
        })
      })

@export()
@description('Whether there is a machine of this role.')
func hasPool(fleet Fleet, name 'encoder' | 'edge') bool => contains(map(fleet.pools, pool => pool.name), name)

@export()
@description('Units that all encoders could do at once.')
func slotsOf(fleet Fleet) int =>
  reduce(
    filter(nodesOf(fleet), node => node.pool == 'encoder'),
    0,
    (sum, node) => int(sum) + (node.group.?slots ?? 1)
  )
