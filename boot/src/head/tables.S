# What the change to long mode needs: descriptors, page tables, a stack. The page tables are data, not built at run time:
# the image is linked at a fixed physical address, so every entry is known to the linker and costs no instruction. Where the
# file is to be small (CONFIG_BZIMAGE_TRIM), small.S builds them.

    .section .head.text, "ax", @progbits
    .balign 8
# The descriptors' accessed bits are set, so that the CPU has nothing to write here.
early_gdt:
    .quad   0
    .quad   0x00cf9b000000ffff              # 0x08: 32-bit code
    .quad   0x00af9b000000ffff              # 0x10: 64-bit code
    .quad   0x00cf93000000ffff              # 0x18: data
early_gdt_end:
early_gdt_physical:
    .word   early_gdt_end - early_gdt - 1
    .quad   early_gdt - KERNEL_MAP
early_gdt_virtual:
    .word   early_gdt_end - early_gdt - 1
    .quad   early_gdt

    .set PRESENT_WRITE, 0x63                # dirty, accessed, writable, present
    .set LARGE_PAGE, 0x80
    .set DIRECT_MAP_INDEX, (0xffff888000000000 >> 39) & 511
    .set IMAGE_TOP_INDEX, 511
    .set IMAGE_LEVEL3_INDEX, 510

# \count entries that map \count * 2 MiB from physical address 0 on.
.macro large_pages count
    .set    entry, PRESENT_WRITE | LARGE_PAGE
    .rept   \count
    .quad   entry
    .set    entry, entry + (2 << 20)
    .endr
.endm

    .if     {BZIMAGE_TRIM}
    .else
    .section .data..page_aligned, "aw", @progbits
    .balign 4096
    .globl early_top_pgt
early_top_pgt:
    .quad   early_level3_low_pgt - KERNEL_MAP + PRESENT_WRITE
    .org    early_top_pgt + DIRECT_MAP_INDEX * 8
    .quad   early_level3_low_pgt - KERNEL_MAP + PRESENT_WRITE
    .org    early_top_pgt + IMAGE_TOP_INDEX * 8
    .quad   early_level3_image_pgt - KERNEL_MAP + PRESENT_WRITE

early_level3_low_pgt:
    .set    directory, 0
    .rept   4
    .quad   early_level2_low_pgt - KERNEL_MAP + directory * 4096 + PRESENT_WRITE
    .set    directory, directory + 1
    .endr
    .balign 4096

early_level3_image_pgt:
    .org    early_level3_image_pgt + IMAGE_LEVEL3_INDEX * 8
    .quad   early_level2_image_pgt - KERNEL_MAP + PRESENT_WRITE
    .quad   {level2_fixmap_pgt} - KERNEL_MAP + PRESENT_WRITE
    .balign 4096

early_level2_low_pgt:
    large_pages 4 * 512

early_level2_image_pgt:
    large_pages 512
    .endif

    .section .bss..page_aligned, "aw", @nobits
    .balign 4096
    .globl init_stack_guard
init_stack_guard:
    .skip   4096
    .globl init_stack
init_stack:
    .skip   {INIT_STACK_SIZE}
init_stack_end:
