;; The inner loops of json-file logs: sixteen bytes a step (WebAssembly SIMD), no garbage.
(module
  (memory (export "memory") 1)

  ;; How far into its input a call came.
  (global $position (export "position") (mut i32) (i32.const 0))

  ;; Escapes UTF-8 from $source to $end as JSON text at $to, and writes the $lineBytes bytes at $line for each newline.
  ;; Stops early after $limit was passed, by up to as much as one byte or newline needs. Returns where the text ends.
  ;; The memory begins with the escapes: eight bytes for each byte's, then for U+2028 and U+2029; the first one of them
  ;; is the length. 0xFF stands for a byte that is none of UTF-8. Sixteen bytes after $end must exist.
  (func (export "escape")
    (param $source i32) (param $end i32) (param $to i32) (param $limit i32) (param $line i32) (param $lineBytes i32)
    (result i32)
    (local $bytes v128) (local $special i32) (local $left i32) (local $byte i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $source) (local.get $end)))
        (br_if $done (i32.gt_u (local.get $to) (local.get $limit)))
        ;; Sixteen bytes are copied; up to the first special one they were right.
        (local.set $bytes (v128.load (local.get $source)))
        (v128.store (local.get $to) (local.get $bytes))
        (local.set $special (i8x16.bitmask (call $escaped (local.get $bytes))))
        (local.set $left (i32.sub (local.get $end) (local.get $source)))
        (if (i32.lt_u (local.get $left) (i32.const 16))
          (then (local.set $special (i32.or (local.get $special) (i32.shl (i32.const 1) (local.get $left))))))
        (if (i32.eqz (local.get $special))
          (then
            (local.set $source (i32.add (local.get $source) (i32.const 16)))
            (local.set $to (i32.add (local.get $to) (i32.const 16)))
            (br $next)))
        (local.set $source (i32.add (local.get $source) (i32.ctz (local.get $special))))
        (local.set $to (i32.add (local.get $to) (i32.ctz (local.get $special))))
        (br_if $done (i32.ge_u (local.get $source) (local.get $end)))

        (local.set $byte (i32.load8_u (local.get $source)))
        (local.set $source (i32.add (local.get $source) (i32.const 1)))
        (if (i32.eq (local.get $byte) (i32.const 10))
          (then
            (memory.copy (local.get $to) (local.get $line) (local.get $lineBytes))
            (local.set $to (i32.add (local.get $to) (local.get $lineBytes)))
            (br $next)))
        ;; E2 80 A8 and E2 80 A9 are the separators.
        (if (i32.eq (i32.or (i32.load16_u (local.get $source)) (i32.const 0x0100)) (i32.const 0xA980))
          (then
            (if (i32.eq (local.get $byte) (i32.const 0xE2))
              (then
                (local.set $byte (i32.add (i32.load8_u offset=1 (local.get $source)) (i32.const 88)))
                (local.set $source (i32.add (local.get $source) (i32.const 2)))))))
        (local.set $byte (i32.shl (local.get $byte) (i32.const 3)))
        (i64.store (local.get $to) (i64.load offset=1 (local.get $byte)))
        (local.set $to (i32.add (local.get $to) (i32.load8_u (local.get $byte))))
        (br $next)))
    (global.set $position (local.get $source))
    (local.get $to))

  ;; Which bytes may need an escape: control characters, F8 to FF; < and >; " and &; the backslash; E2.
  (func $escaped (param $bytes v128) (result v128)
    (v128.or
      (v128.or
        (i8x16.lt_u (i8x16.add (local.get $bytes) (i8x16.splat (i32.const 8))) (i8x16.splat (i32.const 0x28)))
        (i8x16.eq (v128.and (local.get $bytes) (i8x16.splat (i32.const 0xFD))) (i8x16.splat (i32.const 0x3C))))
      (v128.or
        (i8x16.eq (v128.and (local.get $bytes) (i8x16.splat (i32.const 0xFB))) (i8x16.splat (i32.const 0x22)))
        (v128.or
          (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x5C)))
          (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0xE2)))))))

  ;; Writes the entries from $source to $end at $to as the frames of an attached stream (or their mere text, with $raw):
  ;; those of the streams in $wanted (1 stdout, 2 stderr, 3 both). Stops at an entry that is not whole, and at any that
  ;; jsonlog would not write so: with attributes, surrogates, in another order. Returns where the frames end; they take
  ;; no more bytes than the entries. Sixty-four bytes after $end must exist.
  (func (export "decode")
    (param $source i32) (param $end i32) (param $to i32) (param $wanted i32) (param $raw i32)
    (result i32)
    (local $at i32) (local $text i32) (local $out i32) (local $special i32) (local $bytes v128) (local $byte i32)
    (local $stream i32)
    (block $done
      (loop $entry
        ;; {"log":"
        (br_if $done (i64.ne (i64.load (local.get $source)) (i64.const 0x223A22676F6C227B)))
        (local.set $at (i32.add (local.get $source) (i32.const 8)))
        (local.set $text (select (local.get $to) (i32.add (local.get $to) (i32.const 8)) (local.get $raw)))
        (local.set $out (local.get $text))
        (block $quote
          (loop $next
            (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
            (local.set $bytes (v128.load (local.get $at)))
            (v128.store (local.get $out) (local.get $bytes))
            (local.set $special
              (i8x16.bitmask
                (v128.or
                  (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x22)))
                  (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x5C))))))
            (if (i32.eqz (local.get $special))
              (then
                (local.set $at (i32.add (local.get $at) (i32.const 16)))
                (local.set $out (i32.add (local.get $out) (i32.const 16)))
                (br $next)))
            (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $special))))
            (local.set $out (i32.add (local.get $out) (i32.ctz (local.get $special))))
            (br_if $quote (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x22)))
            (local.set $byte (call $unescaped (i32.load8_u offset=1 (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 2)))
            (if (local.get $byte)
              (then
                (i32.store8 (local.get $out) (local.get $byte))
                (local.set $out (i32.add (local.get $out) (i32.const 1)))
                (br $next)))
            (br_if $done (i32.ne (i32.load8_u (i32.sub (local.get $at) (i32.const 1))) (i32.const 0x75)))
            (local.set $byte (call $hexadecimal (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 4)))
            ;; not hexadecimal, or a surrogate
            (br_if $done (i32.eq (i32.and (local.get $byte) (i32.const 0xFFFFF800)) (i32.const 0xD800)))
            (br_if $done (i32.lt_s (local.get $byte) (i32.const 0)))
            (local.set $out (call $putCharacter (local.get $out) (local.get $byte)))
            (br $next)))

        ;; ","stream":"std
        (br_if $done (i64.ne (i64.load (local.get $at)) (i64.const 0x6165727473222C22)))
        (br_if $done (i64.ne (i64.load offset=7 (local.get $at)) (i64.const 0x647473223A226D61)))
        ;; out" or err"
        (local.set $stream (i32.load offset=15 (local.get $at)))
        (if (i32.eq (local.get $stream) (i32.const 0x2274756F))
          (then (local.set $stream (i32.const 1)))
          (else
            (br_if $done (i32.ne (local.get $stream) (i32.const 0x22727265)))
            (local.set $stream (i32.const 2))))
        ;; ,"time":"
        (br_if $done (i64.ne (i64.load offset=19 (local.get $at)) (i64.const 0x3A22656D6974222C)))
        (br_if $done (i32.ne (i32.load8_u offset=27 (local.get $at)) (i32.const 0x22)))
        ;; Z"} and a newline end 20 to 30 bytes of time
        (local.set $special
          (i8x16.bitmask (i8x16.eq (v128.load offset=44 (local.get $at)) (i8x16.splat (i32.const 0x22)))))
        (br_if $done (i32.eqz (local.get $special)))
        (local.set $at (i32.add (local.get $at) (i32.add (i32.ctz (local.get $special)) (i32.const 43))))
        (br_if $done (i32.ne (i32.load (local.get $at)) (i32.const 0x0A7D225A)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if $done (i32.gt_u (local.get $at) (local.get $end)))

        (local.set $source (local.get $at))
        (if (i32.and (local.get $wanted) (local.get $stream))
          (then
            (if (i32.eqz (local.get $raw))
              (then
                (i32.store (local.get $to) (local.get $stream))
                (call $storeBigEndian (i32.add (local.get $to) (i32.const 4))
                  (i32.sub (local.get $out) (local.get $text)))))
            (local.set $to (local.get $out))))
        (br_if $entry (i32.lt_u (local.get $source) (local.get $end)))))
    (global.set $position (local.get $source))
    (local.get $to))

  ;; The byte that \ and $letter stand for; 0 when there is no such escape.
  (func $unescaped (param $letter i32) (result i32)
    (if (i32.eq (local.get $letter) (i32.const 0x6E)) (then (return (i32.const 10))))
    (if (i32.eq (local.get $letter) (i32.const 0x22)) (then (return (local.get $letter))))
    (if (i32.eq (local.get $letter) (i32.const 0x5C)) (then (return (local.get $letter))))
    (if (i32.eq (local.get $letter) (i32.const 0x2F)) (then (return (local.get $letter))))
    (if (i32.eq (local.get $letter) (i32.const 0x72)) (then (return (i32.const 13))))
    (if (i32.eq (local.get $letter) (i32.const 0x74)) (then (return (i32.const 9))))
    (if (i32.eq (local.get $letter) (i32.const 0x62)) (then (return (i32.const 8))))
    (if (i32.eq (local.get $letter) (i32.const 0x66)) (then (return (i32.const 12))))
    (i32.const 0))

  ;; The number of four hexadecimal digits; negative when they are none.
  (func $hexadecimal (param $at i32) (result i32)
    (i32.or
      (i32.or
        (i32.shl (call $digit (i32.load8_u (local.get $at))) (i32.const 12))
        (i32.shl (call $digit (i32.load8_u offset=1 (local.get $at))) (i32.const 8)))
      (i32.or
        (i32.shl (call $digit (i32.load8_u offset=2 (local.get $at))) (i32.const 4))
        (call $digit (i32.load8_u offset=3 (local.get $at))))))

  (func $digit (param $byte i32) (result i32)
    (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10))
      (then (return (i32.sub (local.get $byte) (i32.const 0x30)))))
    (local.set $byte (i32.or (local.get $byte) (i32.const 0x20)))
    (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x61)) (i32.const 6))
      (then (return (i32.sub (local.get $byte) (i32.const 0x57)))))
    (i32.const -1))

  ;; Writes a character of up to sixteen bits in UTF-8; returns where it ends.
  (func $putCharacter (param $to i32) (param $code i32) (result i32)
    (if (i32.lt_u (local.get $code) (i32.const 0x80))
      (then
        (i32.store8 (local.get $to) (local.get $code))
        (return (i32.add (local.get $to) (i32.const 1)))))
    (if (i32.lt_u (local.get $code) (i32.const 0x800))
      (then
        (i32.store8 (local.get $to) (i32.or (i32.const 0xC0) (i32.shr_u (local.get $code) (i32.const 6))))
        (i32.store8 offset=1 (local.get $to)
          (i32.or (i32.const 0x80) (i32.and (local.get $code) (i32.const 0x3F))))
        (return (i32.add (local.get $to) (i32.const 2)))))
    (i32.store8 (local.get $to) (i32.or (i32.const 0xE0) (i32.shr_u (local.get $code) (i32.const 12))))
    (i32.store8 offset=1 (local.get $to)
      (i32.or (i32.const 0x80) (i32.and (i32.shr_u (local.get $code) (i32.const 6)) (i32.const 0x3F))))
    (i32.store8 offset=2 (local.get $to) (i32.or (i32.const 0x80) (i32.and (local.get $code) (i32.const 0x3F))))
    (i32.add (local.get $to) (i32.const 3)))

  (func $storeBigEndian (param $at i32) (param $value i32)
    (i32.store8 (local.get $at) (i32.shr_u (local.get $value) (i32.const 24)))
    (i32.store8 offset=1 (local.get $at) (i32.shr_u (local.get $value) (i32.const 16)))
    (i32.store8 offset=2 (local.get $at) (i32.shr_u (local.get $value) (i32.const 8)))
    (i32.store8 offset=3 (local.get $at) (local.get $value)))
)
