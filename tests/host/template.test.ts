// Route templates and constraints, after the answers of the real host and the rules of .NET's parsers.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createConstraint } from '../../host/functions/constraints.ts'
import { matchTemplate } from '../../host/functions/match.ts'
import { overlap } from '../../host/functions/overlap.ts'
import { parseTemplate } from '../../host/functions/template.ts'

const match = (template: string, path: string) => matchTemplate(parseTemplate(template), path)

describe('a template', () => {
  it.each([
    ['plain', 'plain', {}],
    ['plain', 'PLAIN', {}],
    ['plain', 'plain/', {}],
    ['plain', 'plain/x', undefined],
    ['plain', '/plain', undefined],
    ['two/{a}/{b}', 'two/1/2', { a: '1', b: '2' }],
    ['two/{a}/{b}', 'two//2', undefined],
    ['two/{a}/{b}', 'two/1/', undefined],
    ['opt/{x?}', 'opt', {}],
    ['opt/{x?}', 'opt/', {}],
    ['opt/{x?}', 'opt/v', { x: 'v' }],
    ['opt/{x?}', 'opt/v/w', undefined],
    ['opt/{x:int?}', 'opt', {}],
    ['opt/{x:int?}', 'opt/v', undefined],
    ['dflt/{x=abc}', 'dflt', { x: 'abc' }],
    ['dflt/{x=abc}', 'dflt/q', { x: 'q' }],
    ['files/{*rest}', 'files', {}],
    ['files/{*rest}', 'files/', {}],
    ['files/{*rest}', 'files/x/y', { rest: 'x/y' }],
    ['files/{*rest}', 'files/x/', { rest: 'x/' }],
    ['files/{**rest}', 'files/x//y', { rest: 'x//y' }],
    ['files/{*rest=all}', 'files', { rest: 'all' }],
    ['files/{*rest:alpha}', 'files/abc', { rest: 'abc' }],
    ['files/{*rest:alpha}', 'files', undefined],
    ['{name}.{ext}', 'a.b.txt', { name: 'a.b', ext: 'txt' }],
    ['{name}.{ext}', 'a', undefined],
    ['{name}.{ext}', '.txt', undefined],
    ['{name}.{ext?}', 'a', { name: 'a' }],
    ['{name}.{ext?}', 'a.txt', { name: 'a', ext: 'txt' }],
    ['v{major:int}.{minor:int}', 'V2.10', { major: '2', minor: '10' }],
    ['v{major:int}.{minor:int}', 'v2.x', undefined],
    ['{{literal}}/{x}', '{literal}/1', { x: '1' }],
    ['{x:regex(^\\d{{3}}$)}', '123', { x: '123' }],
    ['{x:regex(^\\d{{3}}$)}', '1234', undefined],
    ['{x:regex(^[a-z]/[0-9]:b$)}', 'a', undefined],
    ['{x:length(2,3):alpha}', 'abc', { x: 'abc' }],
    ['{x:length(2,3):alpha}', 'ab1', undefined],
    ['{x:int=7}', '', { x: '7' }],
  ])('%s on %s', (template, path, expected) => {
    expect(match(template, path)).toEqual(expected)
  })

  it.each([
    ['a//b', /slash/],
    ['a/{b', /never closed/],
    ['a/b}', /never opened/],
    ['{a}{b}', /between/],
    ['{*a}/b', /last segment/],
    ['x{*a}', /last segment/],
    ['{a}/{A}', /more than once/],
    ['{a?}/b', /come last/],
    ['{*a?}', /optional/],
    ['{a=1?}', /default/],
    ['{a}-{b?}', /dot/],
    ['a?b', /question mark/],
    ['{}', /not a valid parameter/],
    ['{x:odd}', /no route constraint 'odd'/],
    ['{x:int(5)}', /takes no arguments/],
    ['{x:range(1)}', /needs 2 whole numbers/],
    ['{x:min(a)}', /needs 1 whole number/],
  ])('%s is refused', (template, reason) => {
    expect(() => parseTemplate(template)).toThrow(reason)
  })

  it('gives back any segment values that it was filled with', () => {
    const value = fc.stringMatching(/^[^/]{1,12}$/)
    fc.assert(
      fc.property(value, value, fc.array(value, { minLength: 1, maxLength: 4 }), (a, b, rest) => {
        const path = `${a}/end/${b}/${rest.join('/')}`
        expect(match('{a}/end/{b}/{*rest}', path)).toEqual({ a, b, rest: rest.join('/') })
      }),
    )
  })
})

describe('a constraint', () => {
  it.each([
    [
      'int',
      undefined,
      ['5', '-5', '+5', '05', ' 5 ', '2147483647'],
      ['5a', '', '1.5', '2147483648', '99999999999'],
    ],
    ['long', undefined, ['9223372036854775807', '-9223372036854775808'], ['9223372036854775808', 'x']],
    ['bool', undefined, ['true', 'FALSE', 'True'], ['1', 'yes', '']],
    [
      'guid',
      undefined,
      [
        '6f9619ff-8b86-d011-b42d-00cf4fc964ff',
        '6F9619FF8B86D011B42D00CF4FC964FF',
        '{6f9619ff-8b86-d011-b42d-00cf4fc964ff}',
      ],
      ['x', '6f9619ff-8b86-d011-b42d-00cf4fc964f', '{6f9619ff-8b86-d011-b42d-00cf4fc964ff)'],
    ],
    ['alpha', undefined, ['abc', 'ABC'], ['ab1', 'é', 'a b']],
    ['decimal', undefined, ['1', '-1.5', '1,000.25', '.5', '5.'], ['', 'a', '1e3', '.']],
    ['double', undefined, ['1', '1.5e-3', 'NaN', '-Infinity'], ['', 'a', 'e3']],
    ['float', undefined, ['1.5'], ['1.5f']],
    [
      'datetime',
      undefined,
      ['2026-11-22', '2026-11-22T13:42:00Z', '11/22/2026', '11/22/2026 1:05 pm'],
      ['2026-02-31', '2026-13-01', 'now', '2026-11-22T25:00'],
    ],
    ['required', undefined, ['x'], ['']],
    ['min', '5', ['5', '9223372036854775807'], ['4', 'x']],
    ['max', '5', ['5', '-3'], ['6', 'x']],
    ['range', '1,10', ['1', '10'], ['0', '11', 'x']],
    ['length', '3', ['abc'], ['ab', 'abcd']],
    ['length', '1,3', ['a', 'abc'], ['', 'abcd']],
    ['minlength', '2', ['ab', 'abc'], ['a']],
    ['maxlength', '2', ['', 'ab'], ['abc']],
    ['regex', '^v\\d+$', ['v1', 'V22'], ['v', 'xv1']],
  ] as const)('%s(%s)', (name, args, fitting, refused) => {
    const fits = createConstraint(name, args)
    expect(fitting.filter((value) => !fits(value))).toEqual([])
    expect(refused.filter((value) => fits(value))).toEqual([])
  })
})

describe('two templates overlap', () => {
  it.each([
    ['p/{*x}', 'p/special', true],
    ['p/{*x}', 'p', true],
    ['m/{a}/{b}', 'm/lit/{b}', true],
    ['p/{x}/end', 'p/lit/{y}', true],
    ['v/{x}', 'v/{y?}', true],
    ['v/{x?}', 'v', true],
    ['v/{x}', 'v', false],
    ['v/{x}', 'w/{x}', false],
    ['v/{x}/a', 'v/{x}/b', false],
    ['v/{x:int}', 'v/{x:alpha}', false],
    ['v/{x:int}', 'v/{x:guid}', false],
    ['v/{x:int}', 'v/5', true],
    ['v/{x:int}', 'v/lit', false],
    ['v/{x:length(3)}', 'v/{x:length(5)}', false],
    ['v/{name}.{ext}', 'v/{x}', true],
    ['v/{name}.m3u8', 'v/{name}.mpd', false],
    ['v/{name}.m3u8', 'v/master.m3u8', true],
    ['v/{x:regex(^zz)}', 'v/{x}', true],
  ])('%s and %s: %s', (left, right, expected) => {
    expect(overlap(parseTemplate(left), parseTemplate(right))).toBe(expected)
    expect(overlap(parseTemplate(right), parseTemplate(left))).toBe(expected)
  })
})
