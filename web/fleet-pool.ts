// One pool on the page: what is asked of it and what it costs, its machines, and the two things that an admin may ask.
import type { Confirm } from './confirm.ts'
import type { Drain, FleetApi, FleetNode, Pool } from './fleet-api.ts'
import { createTile, type Tile } from './fleet-node.ts'
import { boundWords, changeWords, demandWords, heldWords, machines, poolName } from './fleet-wording.ts'
import { control, onSubmit } from './form.ts'
import { createList, type Item } from './list.ts'
import { announce, part, write } from './page.ts'
import { money } from './wording.ts'

export interface PoolOptions {
  api: FleetApi
  confirm: Confirm
  /** Called with what the platform made of what was asked. */
  asked(pool: Pool): void
}

/** More that sleep than these are folded away. */
const mostAsleepShown = 8

const template = part('#pool-template', HTMLTemplateElement)

const isAsleep = ({ state }: FleetNode): boolean => state === 'stopped'

/** Each complaint belongs to its field, for those who can not see where it stands. */
function describe(form: HTMLFormElement, pool: string): void {
  for (const complaint of form.querySelectorAll<HTMLElement>('[data-error]')) {
    const name = complaint.dataset['error']
    if (!name) continue
    complaint.id = `${pool}-${form.dataset['form']}-${name}-error`
    control(form, name).setAttribute('aria-describedby', complaint.id)
  }
}

export function createPool({ api, confirm, asked }: PoolOptions): Item<Pool & { key: string }> {
  const element = part('section', HTMLElement, template.content.cloneNode(true) as DocumentFragment)
  const field = (name: string, within: ParentNode = element) =>
    part(`[data-part="${name}"]`, HTMLElement, within)
  const [wake, drain] = ['wake', 'drain'].map((name) =>
    part(`[data-form="${name}"]`, HTMLFormElement, element),
  ) as [HTMLFormElement, HTMLFormElement]
  const asleepBox = part('details', HTMLDetailsElement, element)
  const lift = part('[data-part="lift"]', HTMLButtonElement, element)
  const showAwake = createList(field('awake'), createTile)
  const showAsleep = createList(field('asleep'), createTile)
  let shown: Pool | undefined

  const number = (form: HTMLFormElement, name: string): number => Number(control(form, name).value)
  /** The time, in the words of the list. */
  const chosen = (form: HTMLFormElement): string =>
    part('select', HTMLSelectElement, form).selectedOptions[0]?.text ?? ''
  const awake = (): FleetNode[] => (shown?.nodes ?? []).filter((node) => !isAsleep(node))

  function showCost(which: string, amount: number, budget: number, currency: string): void {
    const line = part(`[data-cost="${which}"]`, HTMLElement, element)
    write(field('amount', line), money(amount, currency))
    write(field('budget', line), `of ${money(budget, currency)}`)
    const bar = part('progress', HTMLProgressElement, line)
    bar.max = budget
    bar.value = amount
    bar.setAttribute('aria-label', `Of the budget, by the ${which}`)
  }

  function fill(pool: Pool): void {
    const nowMs = Date.now()
    const { cost, currency, nodes } = pool
    const sentence = shown ? changeWords(shown.nodes, nodes) : ''
    if (sentence) announce(sentence)
    const first = shown === undefined
    shown = pool
    const asleep = nodes.filter(isAsleep)
    element.dataset['pool'] = pool.pool
    element.setAttribute('aria-label', poolName(pool))
    write(field('name'), poolName(pool))
    write(field('count'), `${nodes.length - asleep.length} of ${machines(nodes.length)} awake`)
    const [demand, atOnce] = demandWords(pool.demand)
    write(field('demand'), demand)
    write(field('at-once'), atOnce)
    write(field('wanted'), pool.wanted === 0 ? 'None' : machines(pool.wanted))
    write(field('held'), heldWords(pool.held))
    showCost('hour', cost.perHourNow, cost.budgetPerHour, currency)
    showCost('month', cost.month, cost.budgetPerMonth, currency)
    write(field('today'), money(cost.today, currency))
    const bounds = boundWords(pool, nowMs)
    write(field('bounds'), bounds)
    field('bounds-box').hidden = bounds === ''
    lift.setAttribute('aria-label', `Take back what was asked of ${poolName(pool).toLowerCase()}`)
    const tile = (node: FleetNode): Tile => ({
      ...{ key: node.id, node, currency, nowMs },
      drain: () => void drainOne(node.id),
    })
    field('awake').setAttribute('aria-label', `${poolName(pool)} that are not asleep`)
    field('asleep').setAttribute('aria-label', `${poolName(pool)} that are asleep`)
    showAwake(awake().map(tile))
    showAsleep(asleep.map(tile))
    write(field('asleep-count'), `${machines(asleep.length)} asleep`)
    asleepBox.hidden = asleep.length === 0
    if (first) asleepBox.open = nodes.length <= mostAsleepShown
  }

  async function ask(body: Drain, question: { heading: string; words: string }): Promise<void> {
    if (!shown || !(await confirm({ ...question, act: 'Drain', keep: 'Leave as it is' }))) return
    asked(await api.drain(shown.pool, body))
  }

  async function drainOne(id: string): Promise<void> {
    write(field('error'), '')
    const minutes = number(drain, 'minutes')
    try {
      await ask(
        { nodes: [id], minutes },
        {
          heading: `Drain ${id}?`,
          words: `It ends what it holds, takes nothing new, and sleeps for ${chosen(drain)}, unless you wake it before. If there is work, another one is woken.`,
        },
      )
    } catch (error) {
      write(field('error'), (error as Error).message)
    }
  }

  lift.onclick = async () => {
    if (!shown) return
    write(field('error'), '')
    lift.disabled = true
    try {
      asked(await api.lift(shown.pool))
      // The button is gone with what it takes back.
      control(wake, 'nodes').focus()
    } catch (error) {
      write(field('error'), (error as Error).message)
    } finally {
      lift.disabled = false
    }
  }
  onSubmit(wake, {
    async send() {
      if (!shown) return
      asked(await api.wake(shown.pool, { nodes: number(wake, 'nodes'), minutes: number(wake, 'minutes') }))
    },
  })
  onSubmit(drain, {
    async send() {
      const [keep, minutes] = [number(drain, 'keep'), number(drain, 'minutes')]
      const going = Math.max(0, awake().length - keep)
      await ask(
        { keep, minutes },
        {
          heading: going === 0 ? `Keep at most ${keep} awake?` : `Drain ${machines(going)}?`,
          words: `Each ends what it holds, takes nothing new, and goes to sleep. For ${chosen(drain)} no more than ${keep} are awake, whatever there is to do; the app does the work itself, as fast as it can.`,
        },
      )
    },
  })

  let described = false
  return {
    element,
    fill(pool) {
      if (!described) for (const form of [wake, drain]) describe(form, pool.pool)
      described = true
      fill(pool)
    },
  }
}
