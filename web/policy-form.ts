// The tenant's default policy as a form: shown as it is kept, saved as a whole, told field by field what is wrong.
import type { Api } from './api.ts'
import { clearComplaints, control, onSubmit } from './form.ts'
import { announce, part, write } from './page.ts'
import { fieldOf, type Policy, type PolicyTexts, policyOf, textsOf } from './policy.ts'
import { createSection } from './section.ts'

export function createPolicyForm(api: Api) {
  const section = createSection('#policy', 'the default policy')
  const form = part('#policy-form', HTMLFormElement)
  const resolution = part('#policy-maxResolution', HTMLSelectElement)
  const saved = part('#policy-saved', HTMLElement)
  const names = Object.keys(textsOf({})) as Array<keyof PolicyTexts>
  let kept: Policy = {}
  let touched = false

  function display(policy: Policy): void {
    kept = policy
    touched = false
    const texts = textsOf(policy)
    // A policy that was set through the API may name lines that the form does not offer.
    if (![...resolution.options].some(({ value }) => value === texts.maxResolution))
      resolution.append(new Option(`${texts.maxResolution}p`, texts.maxResolution))
    for (const name of names) control(form, name).value = texts[name]
  }

  form.oninput = () => {
    touched = true
    write(saved, '')
  }
  part('#policy-undo', HTMLButtonElement).onclick = () => {
    clearComplaints(form)
    write(saved, '')
    display(kept)
  }
  onSubmit(form, {
    async send() {
      const texts = Object.fromEntries(names.map((name) => [name, control(form, name).value])) as PolicyTexts
      const { policy } = await api.changeTenant({ policy: policyOf(texts, kept) })
      display(policy ?? {})
      write(saved, 'Saved. It holds for sessions that are opened from now on.')
      announce('The policy is saved.')
    },
    fieldOf,
  })

  return {
    load: () =>
      section.load(async () => {
        const { policy } = await api.tenant()
        // What somebody is about to save is not taken from under their hands.
        if (!touched) display(policy ?? {})
      }),
  }
}
