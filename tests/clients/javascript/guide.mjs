// The official guide for card encoders, followed step by step with the official JavaScript SDK.
//
// Reads the line that `cardbridge demo --json` prints from standard input, prints one line for each step, and stops
// with a sentence at the first one that goes otherwise than the guide says. By hand, after `npm install` here:
//
//     cardbridge demo --json --card-deadline 3s | node guide.mjs
//
// What a person would do with their hands (a card put on the encoder, a card shown to a door) is asked of the demo's lab.

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { isDeepStrictEqual } from 'node:util'

import { isSeamActionAttemptFailedError, Seam } from 'seam'

const CARDS = { first: '14A1B2C3', second: '14A1B2C4', third: '14A1B2C5', copy: '14A1B2C6', foreign: '14F0F0F0' }

// Longer than the demo waits for a card.
const PATIENCE = { waitForActionAttempt: { timeout: 60_000, pollingInterval: 100 } }

class Wrong extends Error {}

function expect(what, found, expected) {
  if (isDeepStrictEqual(found, expected)) return
  throw new Wrong(`${what} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`)
}

function expectGiven(what, found) {
  if (!found) throw new Wrong(`${what} is missing: ${JSON.stringify(found)}`)
}

/** The hands at the encoder: the lab's verbs. */
class Desk {
  constructor(lab, encoder) {
    this.lab = lab
    this.encoder = encoder
  }

  async ask(method, path, body, type = 'application/json') {
    const headers = body === undefined ? {} : { 'content-type': type }
    const answer = await fetch(`${this.lab}${path}`, { method, body, headers })
    if (answer.status !== 200) {
      throw new Wrong(`the lab answered ${method} ${path} with ${answer.status}: ${await answer.text()}`)
    }
    return answer
  }

  async put(uid, foreign = false) {
    const card = { technology: 'mifare_classic_1k', uid, foreign }
    await this.ask('PUT', `/encoders/${this.encoder}/card`, JSON.stringify(card))
  }

  async takeOff() {
    await this.ask('DELETE', `/encoders/${this.encoder}/card`)
  }

  async memory(uid) {
    return Buffer.from(await (await this.ask('GET', `/cards/${uid}/memory`)).arrayBuffer())
  }

  async setMemory(uid, image) {
    await this.ask('PUT', `/cards/${uid}/memory`, image, 'application/octet-stream')
  }

  async showToLock(uid, entrance, commit = false) {
    const shown = new URLSearchParams({ uid, at: new Date().toISOString(), commit: String(commit) })
    return (await this.ask('GET', `/locks/${entrance}/decision?${shown}`)).json()
  }
}

/** The steps, in order; each leaves behind what the next ones need. */
class Guide {
  constructor(demo) {
    this.seam = new Seam({ apiKey: demo.api_key, endpoint: demo.endpoint })
    this.demo = demo
    const now = Date.now()
    this.since = new Date(now - 60_000).toISOString()
    this.startsAt = new Date(now).toISOString()
    this.endsAt = new Date(now + 2 * 24 * 3_600_000).toISOString()
  }

  steps = [
    ['a user is created', () => this.createUser()],
    ['a credential is created and not issued', () => this.createCredential()],
    ['the encoders are listed', () => this.listEncoders()],
    ['without a card the attempt ends as no_card_on_encoder', () => this.encodeWithoutCard()],
    ['a blank card is encoded', () => this.encodeBlankCard()],
    ['the credential has become issued', () => this.getCredential()],
    ['a scan shows the same credential on both sides', () => this.scan()],
    ['the card opens its doors', () => this.openDoors()],
    ['the same credential does not go onto a second card', () => this.encodeSecondCard()],
    ['a foreign card is refused and left as it was', () => this.encodeForeignCard()],
    ['a second credential goes onto the first card, as reissued', () => this.encodeFirstCardAgain()],
    ['an override for the room goes onto another card and opens it', () => this.encodeOverride()],
    ['the first image, restored to its card, is overridden', () => this.restoreFirstImage()],
    ['the first image, copied to another card, opens nothing', () => this.copyFirstImage()],
  ]

  async createUser() {
    const user = await this.seam.acs.users.create({
      acs_system_id: this.demo.acs_system_id,
      full_name: 'Jane Doe',
      email_address: 'jane@example.com',
    })
    expect('full_name', user.full_name, 'Jane Doe')
    expect('acs_system_id', user.acs_system_id, this.demo.acs_system_id)
    this.user = user.acs_user_id
  }

  async newCredential(visionlineMetadata) {
    const credential = await this.seam.acs.credentials.create({
      acs_user_id: this.user,
      access_method: 'card',
      allowed_acs_entrance_ids: [this.room, this.commonDoor],
      starts_at: this.startsAt,
      ends_at: this.endsAt,
      visionline_metadata: { card_format: 'rfid48', ...visionlineMetadata },
    })
    expect('is_issued', credential.is_issued, false)
    return credential
  }

  async createCredential() {
    const entrances = await this.seam.acs.entrances.list({ acs_system_id: this.demo.acs_system_id })
    const first = (category) =>
      entrances.find((entrance) => entrance.visionline_metadata?.door_category === category)?.acs_entrance_id
    this.room = first('guest')
    this.commonDoor = first('common')
    expectGiven('a guest door', this.room)
    expectGiven('a common door', this.commonDoor)
    const credential = await this.newCredential({ override: true })
    expect('acs_user_id', credential.acs_user_id, this.user)
    expect('access_method', credential.access_method, 'card')
    expect('external_type', credential.external_type, 'visionline_card')
    expect('issued_at', credential.issued_at, null)
    expect('card_number', credential.card_number, null)
    this.credential = credential.acs_credential_id
  }

  async listEncoders() {
    const encoders = await this.seam.acs.encoders.list({ acs_system_id: this.demo.acs_system_id })
    const found = encoders.map((encoder) => encoder.acs_encoder_id).sort()
    expect('acs_encoder_ids', found, [...this.demo.acs_encoder_ids].sort())
    this.encoder = encoders[0].acs_encoder_id
    const atHand = await (await new Desk(this.demo.lab).ask('GET', '/encoders')).json()
    const { name } = atHand.find((encoder) => encoder.acs_encoder_id === this.encoder)
    this.desk = new Desk(this.demo.lab, name)
  }

  encode(credential, options = PATIENCE) {
    const ids = { acs_credential_id: credential, acs_encoder_id: this.encoder }
    return this.seam.acs.encoders.encodeCredential(ids, options)
  }

  async expectFailure(attempt, code) {
    try {
      await attempt
    } catch (error) {
      if (!isSeamActionAttemptFailedError(error)) throw error
      expect('error.type', error.code, code)
      expectGiven('error.message', error.message)
      return
    }
    throw new Wrong(`the attempt ended well, not with ${code}`)
  }

  async encodeWithoutCard() {
    const attempt = await this.encode(this.credential, { waitForActionAttempt: false })
    expect('action_type', attempt.action_type, 'ENCODE_CREDENTIAL')
    expect('status', attempt.status, 'pending')
    const id = { action_attempt_id: attempt.action_attempt_id }
    await this.expectFailure(this.seam.actionAttempts.get(id, PATIENCE), 'no_card_on_encoder')
    const ended = await this.seam.actionAttempts.get(id, { waitForActionAttempt: false })
    expect('status', ended.status, 'error')
    expect('is_issued', (await this.get(this.credential)).is_issued, false)
  }

  get(credential) {
    return this.seam.acs.credentials.get({ acs_credential_id: credential })
  }

  expectIssued(credential, id, uid) {
    expect('acs_credential_id', credential.acs_credential_id, id)
    expect('is_issued', credential.is_issued, true)
    expect('card_number', credential.card_number, uid)
    expectGiven('issued_at', credential.issued_at)
  }

  async expectEvents(credential, expected) {
    const events = await this.seam.events.list({ acs_credential_id: credential, since: this.since })
    expect("the credential's events", events.map((event) => event.event_type).sort(), expected)
  }

  async encodeBlankCard() {
    await this.desk.put(CARDS.first)
    const attempt = await this.encode(this.credential)
    expect('status', attempt.status, 'success')
    this.expectIssued(attempt.result, this.credential, CARDS.first)
    this.firstImage = await this.desk.memory(CARDS.first)
  }

  async getCredential() {
    const credential = await this.get(this.credential)
    this.expectIssued(credential, this.credential, CARDS.first)
    const metadata = credential.visionline_metadata
    expect('card_id', metadata.card_id, CARDS.first)
    expectGiven('credential_id', metadata.credential_id)
    expect('is_valid', metadata.is_valid, true)
    expect('guest_acs_entrance_ids', metadata.guest_acs_entrance_ids, [this.room])
    expect('common_acs_entrance_ids', metadata.common_acs_entrance_ids, [this.commonDoor])
    await this.expectEvents(this.credential, ['acs_credential.issued'])
  }

  async scan() {
    const attempt = await this.seam.acs.encoders.scanCredential({ acs_encoder_id: this.encoder }, PATIENCE)
    expect('action_type', attempt.action_type, 'SCAN_CREDENTIAL')
    const { acs_credential_on_encoder: onEncoder, acs_credential_on_seam: onSeam, warnings } = attempt.result
    expect('warnings', warnings, [])
    expect('acs_credential_id on Seam', onSeam.acs_credential_id, this.credential)
    expect('card_number on the encoder', onEncoder.card_number, onSeam.card_number)
    expect('is_issued on the encoder', onEncoder.is_issued, true)
    const metadata = onEncoder.visionline_metadata
    expect('card_format on the encoder', metadata.card_format, 'rfid48')
    expect('guest doors on the encoder', metadata.guest_acs_entrance_ids, [this.room])
    expect('common doors on the encoder', metadata.common_acs_entrance_ids, [this.commonDoor])
  }

  async openDoors() {
    for (const door of [this.room, this.commonDoor]) {
      expect("the lock's decision", await this.desk.showToLock(CARDS.first, door), { granted: true })
    }
  }

  async encodeSecondCard() {
    await this.desk.put(CARDS.second)
    const before = await this.desk.memory(CARDS.second)
    await this.expectFailure(this.encode(this.credential), 'credential_cannot_be_reissued')
    expect("the second card's memory", await this.desk.memory(CARDS.second), before)
    expect('card_number', (await this.get(this.credential)).card_number, CARDS.first)
  }

  async encodeForeignCard() {
    await this.desk.put(CARDS.foreign, true)
    const before = await this.desk.memory(CARDS.foreign)
    this.secondCredential = (await this.newCredential({ auto_join: true })).acs_credential_id
    await this.expectFailure(this.encode(this.secondCredential), 'incompatible_card_format')
    expect("the foreign card's memory", await this.desk.memory(CARDS.foreign), before)
  }

  async encodeFirstCardAgain() {
    await this.desk.put(CARDS.first)
    const attempt = await this.encode(this.secondCredential)
    this.expectIssued(attempt.result, this.secondCredential, CARDS.first)
    await this.expectEvents(this.secondCredential, ['acs_credential.reissued'])
    await this.expectEvents(this.credential, ['acs_credential.invalidated', 'acs_credential.issued'])
    const first = await this.get(this.credential)
    expect('is_valid of the first credential', first.visionline_metadata.is_valid, false)
    expect("the lock's decision", await this.desk.showToLock(CARDS.first, this.room), { granted: true })
  }

  async encodeOverride() {
    const override = (await this.newCredential({ override: true })).acs_credential_id
    await this.desk.put(CARDS.third)
    this.expectIssued((await this.encode(override)).result, override, CARDS.third)
    expect("the lock's decision", await this.desk.showToLock(CARDS.third, this.room, true), { granted: true })
    const second = await this.get(this.secondCredential)
    expect('is_valid of the second credential', second.visionline_metadata.is_valid, false)
  }

  async restoreFirstImage() {
    await this.desk.setMemory(CARDS.first, this.firstImage)
    expect("the first card's memory", await this.desk.memory(CARDS.first), this.firstImage)
    const decision = await this.desk.showToLock(CARDS.first, this.room)
    expect("the lock's decision", decision, { granted: false, reason: 'overridden' })
    // A common door is not overridden (docs/card-format.md), which shows that the image is whole.
    const common = await this.desk.showToLock(CARDS.first, this.commonDoor)
    expect("the common lock's decision", common, { granted: true })
  }

  async copyFirstImage() {
    await this.desk.put(CARDS.copy)
    await this.desk.setMemory(CARDS.copy, this.firstImage)
    for (const door of [this.room, this.commonDoor]) {
      expect('granted', (await this.desk.showToLock(CARDS.copy, door)).granted, false)
    }
    await this.desk.takeOff()
  }
}

async function whereabouts() {
  for await (const line of createInterface({ input: process.stdin })) {
    const demo = JSON.parse(line)
    if (demo.error) throw new Wrong(demo.error.message)
    return demo
  }
  throw new Wrong('pipe the line of `cardbridge demo --json` into this script')
}

async function main() {
  const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.resolve('seam'))))
  console.log(`seam ${version} for JavaScript`)
  let current = 'the demo is there'
  try {
    const guide = new Guide(await whereabouts())
    process.stdin.destroy()
    for (const [index, [name, step]] of guide.steps.entries()) {
      current = `step ${index + 1}: ${name}`
      await step()
      console.log(current)
    }
  } catch (error) {
    const why = error instanceof Wrong ? error.message : `${error.name}: ${error.message}`
    console.error(`failed at ${current}: ${why}`)
    process.exitCode = 1
  }
}

await main()
