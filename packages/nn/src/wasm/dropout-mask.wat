;; Dropout masks. Entry 2i of a mask is computed from the low half, entry 2i + 1 from the high half of a 32-bit hash of i:
;; the entry is 0 if its half is below the threshold, and `keep` otherwise.
(module
  (import "to" "memory" (memory 1))

  ;; One round of Mulvey and Wellons' lowbias32.
  (func $mix (param $h v128) (result v128)
    (local.set $h (i32x4.mul
      (v128.xor (local.get $h) (i32x4.shr_u (local.get $h) (i32.const 16)))
      (v128.const i32x4 0x7feb352d 0x7feb352d 0x7feb352d 0x7feb352d)))
    (local.set $h (i32x4.mul
      (v128.xor (local.get $h) (i32x4.shr_u (local.get $h) (i32.const 15)))
      (v128.const i32x4 0x846ca68b 0x846ca68b 0x846ca68b 0x846ca68b)))
    (v128.xor (local.get $h) (i32x4.shr_u (local.get $h) (i32.const 16))))

  ;; Writes `blocks` times 8 entries from `at` on, the first from the hash of `start`.
  (func (export "fill")
    (param $at i32) (param $blocks i32) (param $start i32) (param $first i32) (param $second i32) (param $threshold i32) (param $keep f32)
    (local $end i32) (local $i v128) (local $h v128) (local $low v128) (local $high v128)
    (local $limit v128) (local $kept v128)
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $blocks) (i32.const 5))))
    ;; i times 0x9e3779b9; each iteration adds four times that.
    (local.set $i (i32x4.mul
      (i32x4.add (i32x4.splat (local.get $start)) (v128.const i32x4 0 1 2 3))
      (v128.const i32x4 0x9e3779b9 0x9e3779b9 0x9e3779b9 0x9e3779b9)))
    (local.set $limit (i32x4.splat (local.get $threshold)))
    (local.set $kept (f32x4.splat (local.get $keep)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $h (v128.xor (local.get $i) (i32x4.splat (local.get $first))))
        (local.set $h (call $mix (i32x4.add (call $mix (local.get $h)) (i32x4.splat (local.get $second)))))
        (local.set $low (v128.andnot (local.get $kept) (i32x4.lt_u
          (v128.and (local.get $h) (v128.const i32x4 0xffff 0xffff 0xffff 0xffff)) (local.get $limit))))
        (local.set $high (v128.andnot (local.get $kept) (i32x4.lt_u
          (i32x4.shr_u (local.get $h) (i32.const 16)) (local.get $limit))))
        (v128.store (local.get $at)
          (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $low) (local.get $high)))
        (v128.store offset=16 (local.get $at)
          (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $low) (local.get $high)))
        (local.set $i (i32x4.add (local.get $i) (v128.const i32x4 0x78dde6e4 0x78dde6e4 0x78dde6e4 0x78dde6e4)))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br $next)))))
