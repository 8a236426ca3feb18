# The first two sectors of a bzImage: what a BIOS finds when it starts the file as if it were a disk, and the setup header of
# the Linux boot protocol 2.15 (Documentation/x86/boot.rst), through which a boot loader and the kernel talk.
#
# The whole section is linked at address 0, apart from the image: it runs wherever the boot loader puts it, with the segment
# registers standing for that place.

    .section .setup16, "", @progbits
    .code16
setup16:
    nop                                     # "MZ" where the file is an EFI application: these two do as little harm
    nop
    ljmpw   $0x07c0, $1f
1:  movw    %cs, %ax
    movw    %ax, %ds
    movw    %ax, %es
    movw    %ax, %ss
    xorw    %sp, %sp
    sti
    movw    $no_boot_loader, %si
    call    bios_puts
    xorw    %ax, %ax
    int     $0x16                           # wait for a key
    int     $0x19                           # boot again
    ljmpw   $0xf000, $0xfff0                # or, where the BIOS returns, reset

# Writes the NUL-terminated text at si. Clobbers ax, bx, si.
bios_puts:
    cld
1:  lodsb
    testb   %al, %al
    jz      2f
    movb    $0x0e, %ah
    movw    $7, %bx
    int     $0x10
    jmp     1b
2:  ret

    # The bzImage builder's: where the PE header is, and the PE header.
    .org    0x3c
    .long   0
    .org    0x198

no_boot_loader:
    .asciz  "This kernel is no bootable disk: use a boot loader.\r\nPress any key to restart ...\r\n"

    .org    0x1ef
sentinel:
    .byte   0xff                            # a loader that copies more than the header is found out by this

    .org    0x1f1
setup_header:
    .byte   0                               # setup_sects: the bzImage builder's
    .word   1                               # root_flags: mount read-only
syssize:
    .long   0                               # the bzImage builder's
    .word   0                               # ram_size
    .word   0xffff                          # vid_mode: leave the screen as it is
    .word   0                               # root_dev
    .word   0xaa55                          # boot_flag
    .org    0x200
    jmp     start_of_setup
    .org    0x202
    .ascii  "HdrS"
    .word   0x020f                          # version
realmode_swtch:
    .long   0
    .word   0x1000                          # start_sys_seg
    .word   kernel_version - 0x200
    .byte   0                               # type_of_loader
    .byte   1                               # loadflags: LOADED_HIGH
    .word   0x8000                          # setup_move_size
    .long   LOAD_ADDRESS                    # code32_start
    .long   0                               # ramdisk_image
    .long   0                               # ramdisk_size
    .long   0                               # bootsect_kludge
    .word   setup_memory_end - 0x200        # heap_end_ptr
    .byte   0                               # ext_loader_ver
    .byte   0                               # ext_loader_type
    .long   0                               # cmd_line_ptr
    .long   0x7fffffff                      # initrd_addr_max
    .long   LOAD_ADDRESS                    # kernel_alignment
    .byte   0                               # relocatable_kernel
    .byte   20                              # min_alignment
    .word   1                               # xloadflags: XLF_KERNEL_64
    .long   65535                           # cmdline_size
    .long   0                               # hardware_subarch: a PC
    .quad   0                               # hardware_subarch_data
    .long   0                               # payload_offset: nothing is packed
    .long   0                               # payload_length
    .quad   0                               # setup_data
    .quad   LOAD_ADDRESS                    # pref_address
    .long   0                               # init_size: the bzImage builder's
    .long   0                               # handover_offset
    .long   0x20                            # kernel_info_offset
setup_header_end:
