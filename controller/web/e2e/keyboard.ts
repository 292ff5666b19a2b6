// Keyboard-only use: every element is reached by Tab and operated by keys.
import { expect, type Locator, type Page } from '@playwright/test'

/** More tab stops than any page has. */
const most = 300

export class Keyboard {
  constructor(private readonly page: Page) {}

  /** Presses Tab until the element has the focus. */
  async reach(target: Locator) {
    await expect(target).toBeVisible()
    await expect(target).toBeEnabled()
    const near = Math.max(0, (await target.evaluate(ahead)) - 2)
    await Promise.all(Array.from({ length: near }, () => this.page.keyboard.press('Tab')))
    for (let i = 0; i < most; i++) {
      if (await target.evaluate((el) => el === document.activeElement)) return
      await this.page.keyboard.press('Tab')
    }
    throw new Error(`Tab does not reach ${target}`)
  }

  /** Activates a button, a link or a summary. */
  async press(target: Locator) {
    await this.reach(target)
    await this.page.keyboard.press('Enter')
  }

  /** Toggles a checkbox. */
  async toggle(target: Locator) {
    await this.reach(target)
    await this.page.keyboard.press('Space')
  }

  async fill(target: Locator, text: string) {
    await this.reach(target)
    await this.page.keyboard.press('ControlOrMeta+a')
    await this.page.keyboard.insertText(text)
  }

  /** Chooses an option of a select by the start of its name. */
  async choose(target: Locator, option: string) {
    const chosen = target.locator('option:checked')
    await this.reach(target)
    await this.page.keyboard.press('Home')
    for (let i = 0; i < most && !(await chosen.textContent())?.startsWith(option); i++)
      await this.page.keyboard.press('ArrowDown')
    await expect(chosen).toHaveText(new RegExp(`^${option}`))
  }

  /** Chooses a radio button; Tab reaches the checked one, arrow keys the others. */
  async pick(radio: Locator) {
    const group = await radio.getAttribute('name')
    await this.reach(this.page.locator(`input[type=radio][name="${group}"]:checked`))
    for (let i = 0; i < most; i++) {
      if (await radio.isChecked()) return
      await this.page.keyboard.press('ArrowDown')
      // Disabled while the controller saves the choice.
      await expect(radio).toBeEnabled()
    }
    throw new Error(`arrows do not reach ${radio}`)
  }
}

/** About how many tab stops an element is away. */
function ahead(target: Element): number {
  const room = target.closest('dialog') ?? document
  const stops = [
    ...room.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary, [tabindex]'),
  ].filter((el) => el.tabIndex >= 0 && !el.matches(':disabled, [type=radio]:not(:checked)') && el.checkVisibility())
  const way = stops.indexOf(target as HTMLElement) - stops.indexOf(document.activeElement as HTMLElement)
  return (way + stops.length) % stops.length
}
