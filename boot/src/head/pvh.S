# The PVH way in (Xen's docs/misc/pvh.pandoc): protected mode, paging off, flat segments, ebx = hvm_start_info.

    .section .head.text, "ax", @progbits
    .code32
    .globl pvh_start_xen
pvh_start_xen:
    cld
    cli
    movl    %ebx, %esi
    movl    ${pvh}, %ebp
    jmp     protected_mode

# XEN_ELFNOTE_PHYS32_ENTRY: tells the loader of the ELF image where to start, physically.
    .section .note.Xen, "a", @note
    .balign 4
    .long   4
    .long   8
    .long   18
    .asciz  "Xen"
    .quad   pvh_start_xen - KERNEL_MAP
